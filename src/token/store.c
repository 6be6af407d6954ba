/* Stores tokens: a file of mode 0600 for each account. */
#include "token/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "support/clock.h"
#include "support/erase_text.h"
#include "support/crash_point.h"
#include "support/file.h"
#include "system/erase.h"
#include "system/lock.h"
#include "token/keyring.h"

/* Maximum size: two tokens of 64 KiB, and what belongs to them. */
#define P3_STORE_MOST ((size_t)256 * 1024)

/* The whole content of the file if the keyring has the tokens. */
#define P3_IN_KEYRING "P3KEYRING1\n"

#define P3_LOCK_WAIT_MS 120000 /* longer than two requests to a provider */
#define P3_LOCK_LOOK_MS 50

static const char *name_of(const p3_token_store *s)
{
    const char *slash = strrchr(s->path, '/');
    return slash != NULL ? slash + 1 : s->path;
}

/* Reads all of the file, whose owner alone may read it. NULL with a problem. */
static unsigned char *read_private(const char *path, int fd, size_t *len, p3_problem *why)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        p3_problem_errno(why, errno, "reading the token file %s", path);
        return NULL;
    }
    if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077) != 0) {
        p3_problem_set(why, EX_CONFIG,
                       "reading the token file %s: others can read it, or it is not yours; remove "
                       "it, and run `pop3 authorize` again",
                       path);
        return NULL;
    }
    unsigned char *data = malloc(P3_STORE_MOST);
    ssize_t n = 1;
    *len = 0;
    while (data != NULL && n > 0 && *len < P3_STORE_MOST) {
        n = read(fd, data + *len, P3_STORE_MOST - *len);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0)
            *len += (size_t)n;
    }
    if (data != NULL && n == 0)
        return data;
    p3_problem_errno(why,
                     data == NULL ? ENOMEM
                     : n > 0      ? EFBIG
                                  : errno,
                     "reading the token file %s", path);
    if (data != NULL)
        p3_erase(data, *len);
    free(data);
    return NULL;
}

static bool is_in_keyring(const unsigned char *data, size_t len)
{
    return len == strlen(P3_IN_KEYRING) && memcmp(data, P3_IN_KEYRING, len) == 0;
}

static bool take_from_keyring(const p3_token_store *s, p3_token_record *out, p3_problem *why)
{
    char *text;
    p3_problem cause;
    if (!p3_keyring_find(name_of(s), s->may_ask, &text, &cause))
        return p3_problem_set(why, cause.exit,
                              "%s; or set token-store = file, and run `pop3 authorize` again",
                              cause.text);
    bool ok = p3_token_record_read(out, text, strlen(text));
    p3_erase_text(text);
    return ok || p3_problem_set(why, EX_DATAERR,
                                "reading the token from the keyring: it is damaged; run `pop3 "
                                "authorize` again");
}

/* Parses the content of the file. */
static bool take_content(const p3_token_store *s, unsigned char *data, size_t len,
                         p3_token_record *out, p3_problem *why)
{
    if (is_in_keyring(data, len))
        return take_from_keyring(s, out, why);
    if (!p3_seal_is(data, len))
        return p3_token_record_read(out, (const char *)data, len) ||
               p3_problem_set(why, EX_DATAERR,
                              "reading the token file %s: it is damaged; remove it, and run `pop3 "
                              "authorize` again",
                              s->path);
    if (s->key.data == NULL)
        return p3_problem_set(why, EX_CONFIG,
                              "reading the token file %s: it is encrypted; set token-key-file",
                              s->path);
    size_t text_len = 0;
    char *text = p3_unseal(&s->key, name_of(s), data, len, &text_len);
    bool ok = text != NULL && p3_token_record_read(out, text, text_len);
    if (text != NULL)
        p3_erase(text, text_len);
    free(text);
    return ok ||
           p3_problem_set(why, EX_CONFIG,
                          "reading the token file %s: token-key-file is not the key that it "
                          "was encrypted with, or it is damaged; set the right key, or remove "
                          "it and run `pop3 authorize` again",
                          s->path);
}

bool p3_token_load(const p3_token_store *s, p3_token_record *out, bool *found, p3_problem *why)
{
    size_t len = 0;
    *out = (p3_token_record){0};
    *found = false;
    int fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ||
               p3_problem_errno(why, errno, "reading the token file %s", s->path);
    unsigned char *data = read_private(s->path, fd, &len, why);
    (void)close(fd);
    if (data == NULL)
        return false;
    *found = take_content(s, data, len, out, why);
    p3_erase(data, len);
    free(data);
    return *found;
}

/* Makes the directory's entry durable. Returns false with errno. */
static bool sync_entry(const char *path)
{
    return p3_sync_entry(path, NULL) || errno == EINVAL; /* EINVAL: syncing is not supported */
}

/* Writes a new file and renames it over the old one. Returns false with errno. */
static bool replace(const char *path, const void *data, size_t len)
{
    char *beside = NULL;
    if (asprintf(&beside, "%s.new", path) < 0)
        return false;
    (void)unlink(beside); /* left over by a process that ended; we have the lock */
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool ok = fd >= 0 && fchmod(fd, 0600) == 0 && p3_write_all(fd, data, len) && fsync(fd) == 0;
    int error = errno;
    if (fd >= 0 && close(fd) != 0 && ok) {
        error = errno;
        ok = false;
    }
    p3_crash_point("token written");
    if (ok && rename(beside, path) != 0) {
        error = errno;
        ok = false;
    }
    if (fd >= 0 && !ok)
        (void)unlink(beside);
    if (ok && !sync_entry(path)) {
        error = errno;
        ok = false;
    }
    free(beside);
    errno = error;
    return ok;
}

bool p3_token_is_in_keyring(const p3_token_store *s)
{
    unsigned char text[sizeof P3_IN_KEYRING];
    int fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text) : -1;
    if (fd >= 0)
        (void)close(fd);
    return n > 0 && is_in_keyring(text, (size_t)n);
}

/* Writes the text into the file, encrypted where there is a key. */
static bool save_in_file(const p3_token_store *s, const char *text, p3_problem *why)
{
    size_t len = strlen(text);
    unsigned char *sealed = NULL;
    if (s->key.data != NULL)
        sealed = p3_seal(&s->key, name_of(s), text, len, &len);
    bool whole = s->key.data == NULL || sealed != NULL;
    bool ok = whole && replace(s->path, sealed != NULL ? (const void *)sealed : text, len);
    int error = whole ? errno : ENOMEM;
    free(sealed);
    return ok || p3_problem_errno(why, error, "writing the token file %s", s->path);
}

/* Stores the text in the keyring, and then writes that into the file. */
static bool save_in_keyring(const p3_token_store *s, const char *text, bool is_there,
                            p3_problem *why)
{
    if (!p3_keyring_store(name_of(s), text, why))
        return false;
    p3_crash_point("token written");
    return is_there || replace(s->path, P3_IN_KEYRING, strlen(P3_IN_KEYRING)) ||
           p3_problem_errno(why, errno, "writing the token file %s", s->path);
}

static bool save(const p3_token_store *s, const p3_token_record *record, bool is_new,
                 p3_problem *why)
{
    p3_problem lesser;
    bool was_there = p3_token_is_in_keyring(s);
    bool usual = s->place == P3_TOKENS_AUTO && s->key.data == NULL;
    bool to_keyring = s->place == P3_TOKENS_KEYRING ||
                      (usual && (was_there || (is_new && p3_keyring_is_there())));
    char *text = p3_token_record_write(record);
    if (text == NULL)
        return p3_problem_errno(why, ENOMEM, "writing the token file %s", s->path);
    bool ok = to_keyring && save_in_keyring(s, text, was_there, why);
    /* A new token may be the only one: store it in the file rather than nowhere. */
    if (!ok && s->place != P3_TOKENS_KEYRING)
        ok = save_in_file(s, text, why);
    if (ok && was_there && !p3_token_is_in_keyring(s))
        (void)p3_keyring_remove(name_of(s), &lesser);
    p3_erase_text(text);
    return ok;
}

bool p3_token_save(const p3_token_store *s, const p3_token_record *record, p3_problem *why)
{
    return save(s, record, false, why);
}

bool p3_token_save_new(const p3_token_store *s, const p3_token_record *record, p3_problem *why)
{
    return save(s, record, true, why);
}

bool p3_token_remove(const p3_token_store *s, p3_problem *why)
{
    if (p3_token_is_in_keyring(s) && !p3_keyring_remove(name_of(s), why))
        return false;
    if (unlink(s->path) != 0 && errno != ENOENT)
        return p3_problem_errno(why, errno, "removing the token file %s", s->path);
    return sync_entry(s->path) ||
           p3_problem_errno(why, errno, "removing the token file %s", s->path);
}

static bool wait_for_lock(int fd)
{
    const struct timespec pause = {.tv_nsec = P3_LOCK_LOOK_MS * 1000000L};
    int64_t deadline = p3_clock_ms() + P3_LOCK_WAIT_MS;
    while (p3_lock_acquire(fd, 0, 1) != 0) {
        if ((errno != EAGAIN && errno != EACCES) || p3_clock_ms() >= deadline)
            return false;
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

int p3_token_lock(const p3_token_store *s, p3_problem *why)
{
    char *path = NULL;
    if (asprintf(&path, "%s.lock", s->path) < 0) {
        p3_problem_errno(why, ENOMEM, "locking the token file %s", s->path);
        return -1;
    }
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    free(path);
    if (fd >= 0 && wait_for_lock(fd))
        return fd;
    p3_problem_errno(why, errno, "locking the token file %s", s->path);
    p3_token_unlock(fd);
    return -1;
}

void p3_token_unlock(int lock)
{
    if (lock < 0)
        return;
    p3_lock_end(lock);
    (void)close(lock);
}

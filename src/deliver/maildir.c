/* Delivers to a Maildir: one file for each message, written in tmp/, synced, renamed into new/, and
 * the directory synced. A batch shares the syncs, so that thousands of small messages need only a
 * few. */
#include "deliver/maildir.h"

#include "support/crash_point.h"
#include "support/file.h"
#include "deliver/directory.h"
#include "support/grow.h"
#include "system/move.h"
#include "system/whole_sync.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Octets of a message that are read back at a time. */
#define P3_PIECE ((size_t)64 * 1024)

/* Up to this many files are synced one by one; for more, the whole file system is synced. */
#define P3_SYNC_EACH 4

const char *const p3_maildir_directories[] = {"/tmp", "/new", "/cur", NULL};

/* A message that a reader has moved to cur/. */
typedef struct p3_found_file {
    char *file; /* its name there, including flags */
    size_t len; /* length of the name that we gave it */
} p3_found_file;

typedef struct p3_maildir {
    p3_delivery base;
    char *path;
    int tmp; /* the directories */
    int new;
    int cur;
    dev_t device; /* of new/: device and inode */
    ino_t inode;
    bool syncs_whole;     /* see p3_whole_sync_reaches_disk() */
    int fd;               /* the current message, or -1 */
    const char *name;     /* its name */
    uint64_t octets;      /* octets written */
    uint64_t sent;        /* octets being written to the disk; see support/file.h */
    p3_found_file *found; /* files found in cur/ by settle(), by name */
    size_t found_count;
    p3_room found_room;
} p3_maildir;

/* Opens a directory of a Maildir, or creates it. */
static int open_folder(const char *path, const char *name, p3_problem *why)
{
    size_t size = strlen(path) + strlen(name) + 2;
    char *full = malloc(size);
    int fd = -1;
    if (full == NULL) {
        p3_problem_memory(why);
        return -1;
    }
    snprintf(full, size, "%s/%s", path, name);
    fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT && p3_directory_make(full))
        fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        p3_problem_errno(why, errno, "opening the directory %s of the Maildir", full);
    free(full);
    return fd;
}

static bool maildir_begin(p3_delivery *d, const char *name, const char *sender, p3_problem *why)
{
    (void)sender;
    p3_maildir *m = (p3_maildir *)d;
    p3_crash_point("tmp-open");
    m->fd = openat(m->tmp, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    m->name = name;
    m->octets = m->sent = 0;
    return m->fd >= 0 || p3_problem_errno(why, errno, "writing to %s/tmp", m->path);
}

static bool maildir_write(p3_delivery *d, const char *data, size_t len, p3_problem *why)
{
    p3_maildir *m = (p3_maildir *)d;
    p3_crash_point("tmp-write");
    if (!p3_write_all(m->fd, data, len))
        return p3_problem_errno(why, errno, "writing to %s/tmp", m->path);
    m->octets += len;
    m->sent = p3_file_grew(m->fd, m->sent, m->octets);
    return true;
}

static bool maildir_finish(p3_delivery *d, p3_parcel *out, p3_problem *why)
{
    p3_maildir *m = (p3_maildir *)d;
    if (m->octets >= P3_LARGE)
        p3_file_send(m->fd, m->sent, m->octets);
    int closed = close(m->fd);
    m->fd = -1;
    if (closed != 0)
        return p3_problem_errno(why, errno, "writing to %s/tmp", m->path);
    out->name = m->name;
    out->octets = m->octets;
    m->name = NULL; /* it belongs to the batch from now on */
    p3_crash_point("tmp-written");
    return true;
}

static void maildir_abandon(p3_delivery *d)
{
    p3_maildir *m = (p3_maildir *)d;
    if (m->fd >= 0)
        (void)close(m->fd);
    m->fd = -1;
    if (m->name != NULL)
        (void)unlinkat(m->tmp, m->name, 0); /* it may not exist */
    m->name = NULL;
}

static void maildir_discard(p3_delivery *d, const p3_parcel *parcels, size_t count)
{
    const p3_maildir *m = (const p3_maildir *)d;
    for (size_t i = 0; i < count; i++)
        (void)unlinkat(m->tmp, parcels[i].name, 0); /* otherwise the next run removes it */
}

/* Opens one of our messages. Anything else under its name by now, such as a link or a FIFO, is not
 * a message: -1 with ENOENT. */
static int open_message(int folder, const char *name)
{
    struct stat st;
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return fd;
    if (fd >= 0)
        (void)close(fd);
    if (fd >= 0 || errno == ELOOP || errno == ENXIO)
        errno = ENOENT;
    return -1;
}

static bool sync_each(const p3_maildir *m, p3_batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        int fd = open_message(m->tmp, b->parcels[i].name);
        bool ok = fd >= 0 && fdatasync(fd) == 0;
        int error = errno;
        if (ok && b->parcels[i].octets >= P3_LARGE)
            p3_file_let_go(fd);
        if (fd >= 0)
            (void)close(fd);
        if (!ok)
            return p3_problem_errno(&b->problem, error, "syncing %s/tmp/%s", m->path,
                                    b->parcels[i].name);
    }
    return true;
}

/* The whole file system has been synced: drops large messages from the page cache. */
static void let_go(const p3_maildir *m, const p3_batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        if (b->parcels[i].octets < P3_LARGE)
            continue;
        int fd = open_message(m->tmp, b->parcels[i].name);
        if (fd < 0)
            continue;
        p3_file_let_go(fd);
        (void)close(fd);
    }
}

/* Brings the messages' octets to the disk, with one sync for each file system. */
static void sync_data(p3_batch **batches, size_t count)
{
    size_t files = 0;
    for (size_t i = 0; i < count; i++)
        files += batches[i]->count;
    bool each = files <= P3_SYNC_EACH || !p3_whole_sync_tells_errors();
    for (size_t i = 0; i < count; i++) {
        p3_batch *b = batches[i];
        const p3_maildir *m = (const p3_maildir *)b->to;
        const p3_batch *same = NULL;
        for (size_t k = 0; k < i && same == NULL; k++) {
            if (((const p3_maildir *)batches[k]->to)->device == m->device)
                same = batches[k];
        }
        if (each || !m->syncs_whole) {
            (void)sync_each(m, b);
            continue;
        }
        if (same != NULL)
            b->problem = same->problem;
        else if (p3_whole_sync(m->tmp) != 0)
            p3_problem_errno(&b->problem, errno, "syncing the file system of %s", m->path);
        if (b->problem.exit == 0)
            let_go(m, b);
    }
}

/* Moves messages into new/. */
static void move_all(p3_batch *b)
{
    p3_maildir *m = (p3_maildir *)b->to;
    for (size_t i = 0; i < b->count; i++) {
        p3_crash_point("rename");
        if (b->problem.exit != 0)
            return;
        if (p3_move_new(m->tmp, m->new, b->parcels[i].name) != 0) {
            p3_problem_errno(&b->problem, errno, "moving a message into %s/new", m->path);
            return;
        }
        b->parcels[i].delivered = true;
    }
}

/* Syncs the directory of the messages of a batch, once for all its batches. */
static void sync_folder(p3_batch **batches, size_t i)
{
    const p3_maildir *m = (const p3_maildir *)batches[i]->to;
    for (size_t k = 0; k < i; k++) {
        const p3_maildir *other = (const p3_maildir *)batches[k]->to;
        if (other->device == m->device && other->inode == m->inode) {
            if (batches[k]->problem.exit != 0 && batches[i]->problem.exit == 0)
                batches[i]->problem = batches[k]->problem;
            return;
        }
    }
    /* tmp/ as well: on btrfs the old names could reappear after a power cut. */
    if (fsync(m->new) != 0 || fsync(m->tmp) != 0)
        p3_problem_errno(&batches[i]->problem, errno, "syncing the directories of %s", m->path);
}

static void maildir_deliver_all(p3_batch **batches, size_t count)
{
    p3_crash_point("before-sync");
    sync_data(batches, count);
    p3_crash_point("after-sync");
    for (size_t i = 0; i < count; i++)
        move_all(batches[i]);
    p3_crash_point("renamed");
    for (size_t i = 0; i < count; i++)
        sync_folder(batches, i);
    p3_crash_point("folder-synced");
}

static void maildir_deliver(p3_batch *batch)
{
    maildir_deliver_all(&batch, 1);
}

/* What readers append to a name: flags (":2,S", with ";" or "!" where a colon is not allowed), and
 * before them fields of mbsync and Dovecot (",U=7", ",S=1234"). Our names contain none of these
 * characters. */
#define P3_BEHIND_NAME ":;!,"

static int compare_found(const void *x, const void *y)
{
    const p3_found_file *a = x;
    const p3_found_file *b = y;
    int order = memcmp(a->file, b->file, a->len < b->len ? a->len : b->len);
    return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

/* Stores the name of one of our messages in cur/. */
static bool note_found(p3_maildir *m, const char *file, size_t len)
{
    bool room = p3_grow(&m->found, &m->found_room, m->found_count + 1, sizeof *m->found);
    char *copy = room ? strdup(file) : NULL;
    if (copy == NULL)
        return false;
    m->found[m->found_count++] = (p3_found_file){copy, len};
    return true;
}

static void forget_found(p3_maildir *m)
{
    while (m->found_count > 0)
        free(m->found[--m->found_count].file);
}

/* Marks messages whose files are in a directory. */
static bool look_into(p3_maildir *m, int folder, p3_left_over *at, size_t count)
{
    int fd = dup(folder);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (dir == NULL) {
        if (fd >= 0)
            (void)close(fd);
        return false;
    }
    rewinddir(dir);
    const struct dirent *e;
    errno = 0;
    bool noted = true;
    while (noted && (e = readdir(dir)) != NULL) {
        char name[NAME_MAX + 1];
        size_t len = strcspn(e->d_name, P3_BEHIND_NAME);
        snprintf(name, sizeof name, "%.*s", (int)len, e->d_name);
        p3_left_over key = {.name = name};
        p3_left_over *found = bsearch(&key, at, count, sizeof *at, p3_left_over_compare);
        if (found != NULL)
            found->there = true;
        if (found != NULL && folder == m->cur)
            noted = note_found(m, e->d_name, len);
        errno = noted ? 0 : ENOMEM;
    }
    bool ok = errno == 0;
    (void)closedir(dir);
    return ok;
}

/* Removes what runs of this owner have left in tmp/, with or without an intent: the account is
 * locked, so none of them is running. What cannot be removed stays until the next run. Returns
 * whether anything was removed. */
static bool sweep(int tmp, const char *owner)
{
    int fd = dup(tmp);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    bool removed = false;
    const struct dirent *e;
    if (dir == NULL && fd >= 0)
        (void)close(fd);
    if (dir == NULL)
        return false;
    rewinddir(dir);
    while ((e = readdir(dir)) != NULL) {
        if (p3_names_made_for(e->d_name, owner))
            removed = unlinkat(tmp, e->d_name, 0) == 0 || removed;
    }
    (void)closedir(dir);
    return removed;
}

bool p3_maildir_has(const char *path, const char *owner)
{
    bool found = false;
    for (const char *const *name = p3_maildir_directories; !found && *name != NULL; name++) {
        int fd = p3_directory_open(path, *name);
        /* There is a file in place of a directory: settling reports that and stops. (EACCES is the
         * sandbox's, for a path that did not exist outside of it.) */
        found = fd < 0 && errno == ENOTDIR;
        DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
        const struct dirent *e;
        if (dir == NULL && fd >= 0)
            (void)close(fd);
        while (dir != NULL && !found && (e = readdir(dir)) != NULL)
            found = p3_names_carry(e->d_name, owner);
        if (dir != NULL)
            (void)closedir(dir);
    }
    return found;
}

void p3_maildir_tidy(const char *path, const char *owner)
{
    int fd = p3_directory_open(path, "/tmp");
    if (fd < 0)
        return;
    (void)sweep(fd, owner);
    (void)close(fd);
}

static bool maildir_settle(p3_delivery *d, p3_left_over *at, size_t count, p3_problem *why)
{
    p3_maildir *m = (p3_maildir *)d;
    qsort(at, count, sizeof *at, p3_left_over_compare);
    /* new/ is read twice, because a reader may move a message to cur/ in between. */
    forget_found(m);
    if (!look_into(m, m->new, at, count) || !look_into(m, m->cur, at, count) ||
        !look_into(m, m->new, at, count))
        return p3_problem_errno(why, errno, "reading the directories of %s", m->path);
    if (m->found_count > 0)
        qsort(m->found, m->found_count, sizeof *m->found, compare_found);
    bool any = false;
    bool removed = false;
    for (size_t i = 0; i < count; i++) {
        any = any || at[i].there;
        /* A delivered message may have a second name there: btrfs restores it after a power cut. */
        int gone = unlinkat(m->tmp, at[i].name, 0);
        removed = removed || gone == 0;
        if (gone != 0 && errno != ENOENT && !at[i].there)
            return p3_problem_errno(why, errno, "removing %s/tmp/%s", m->path, at[i].name);
    }
    removed = sweep(m->tmp, d->owner.mark) || removed;
    /* Before their names are forgotten: those of an earlier version could reappear and stay for
     * ever. */
    if (removed && fsync(m->tmp) != 0)
        return p3_problem_errno(why, errno, "syncing %s/tmp", m->path);
    /* Their names may not have been on the disk when they were seen. */
    if (any && (fsync(m->new) != 0 || fsync(m->cur) != 0))
        return p3_problem_errno(why, errno, "syncing the directories of %s", m->path);
    return true;
}

static bool maildir_read_back(p3_delivery *d, const char *name, p3_piece_fn take, void *ctx)
{
    const p3_maildir *m = (const p3_maildir *)d;
    int fd = open_message(m->new, name);
    if (fd < 0 && errno == ENOENT) {
        const p3_found_file key = {(char *)(uintptr_t)name, strlen(name)};
        const p3_found_file *found = m->found_count == 0 ? NULL
                                                         : bsearch(&key, m->found, m->found_count,
                                                                   sizeof *m->found, compare_found);
        fd = found != NULL ? open_message(m->cur, found->file) : -1;
    }
    if (fd < 0)
        return errno == ENOENT; /* just moved or renamed */
    char *piece = malloc(P3_PIECE);
    ssize_t n = piece != NULL ? 1 : -1;
    while (n > 0) {
        n = read(fd, piece, P3_PIECE);
        if (n > 0)
            take(ctx, piece, (size_t)n);
        else if (n < 0 && errno == EINTR)
            n = 1;
    }
    int error = errno;
    (void)close(fd);
    free(piece);
    errno = error;
    return n == 0;
}

static void maildir_close(p3_delivery *d)
{
    p3_maildir *m = (p3_maildir *)d;
    maildir_abandon(d);
    forget_found(m);
    free(m->found);
    if (m->tmp >= 0)
        (void)close(m->tmp);
    if (m->new >= 0)
        (void)close(m->new);
    if (m->cur >= 0)
        (void)close(m->cur);
    free(m->path);
    free(m);
}

static const p3_delivery_class maildir_class = {
    .begin = maildir_begin,
    .write = maildir_write,
    .finish = maildir_finish,
    .abandon = maildir_abandon,
    .discard = maildir_discard,
    .deliver = maildir_deliver,
    .deliver_all = maildir_deliver_all,
    .settle = maildir_settle,
    .read_back = maildir_read_back,
    .close = maildir_close,
};

p3_delivery *p3_maildir_open(const char *path, const p3_envelope *envelope, p3_problem *why)
{
    (void)envelope;
    p3_maildir *m = calloc(1, sizeof *m);
    struct stat st;
    if (m == NULL || (m->path = strdup(path)) == NULL) {
        free(m);
        p3_problem_memory(why);
        return NULL;
    }
    m->base.class = &maildir_class;
    m->fd = -1;
    m->new = m->cur = -1;
    m->tmp = open_folder(path, "tmp", why);
    if (m->tmp >= 0)
        m->new = open_folder(path, "new", why);
    if (m->new >= 0)
        m->cur = open_folder(path, "cur", why);
    if (m->cur < 0 || fstat(m->new, &st) != 0) {
        if (m->cur >= 0)
            p3_problem_errno(why, errno, "looking at %s/new", path);
        maildir_close(&m->base);
        return NULL;
    }
    m->device = st.st_dev;
    m->inode = st.st_ino;
    m->syncs_whole = p3_whole_sync_reaches_disk(m->tmp);
    return &m->base;
}

/* The messages of a folder, as one session sees them; and what the process remembers of files
 * between sessions. A remembered file whose size, time or inode changed is a new one. */
#define _GNU_SOURCE /* tdestroy() */
#include "maildrop.h"

#include "digest.h"
#include "message.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct remembered {
    char *path;
    ino_t inode;
    off_t size;
    struct timespec changed;
    uint64_t octets;
    bool deleted;
};

/* ---- memory ---- */

static int by_path(const void *a, const void *b)
{
    const struct remembered *left = a;
    const struct remembered *right = b;
    return strcmp(left->path, right->path);
}

static void free_remembered(void *entry)
{
    struct remembered *file = entry;
    free(file->path);
    free(file);
}

bool memory_init(struct memory *memory)
{
    memory->files = NULL;
    return pthread_mutex_init(&memory->lock, NULL) == 0;
}

void memory_free(struct memory *memory)
{
    tdestroy(memory->files, free_remembered);
    (void)pthread_mutex_destroy(&memory->lock);
}

static struct remembered *find(struct memory *memory, const char *path)
{
    char *copy = (char *)(uintptr_t)path; /* the comparison does not write to it */
    struct remembered key = {.path = copy};
    struct remembered *const *found = tfind(&key, &memory->files, by_path);
    return found != NULL ? *found : NULL;
}

static bool same_file(const struct remembered *file, const struct stat *status)
{
    return file->inode == status->st_ino && file->size == status->st_size &&
           file->changed.tv_sec == status->st_mtim.tv_sec &&
           file->changed.tv_nsec == status->st_mtim.tv_nsec;
}

static bool recall(struct memory *memory, const char *path, const struct stat *status,
                   uint64_t *octets, bool *deleted)
{
    (void)pthread_mutex_lock(&memory->lock);
    struct remembered *file = find(memory, path);
    bool known = file != NULL && same_file(file, status);
    if (known) {
        *octets = file->octets;
        *deleted = file->deleted;
    }
    (void)pthread_mutex_unlock(&memory->lock);
    return known;
}

static bool remember(struct memory *memory, const char *path, const struct stat *status,
                     uint64_t octets)
{
    bool ok = false;
    (void)pthread_mutex_lock(&memory->lock);
    struct remembered *file = find(memory, path);
    if (file == NULL) {
        file = calloc(1, sizeof *file);
        if (file == NULL) {
            goto out;
        }
        file->path = strdup(path);
        if (file->path == NULL || tsearch(file, &memory->files, by_path) == NULL) {
            free_remembered(file);
            goto out;
        }
    }
    file->deleted = file->deleted && same_file(file, status);
    file->inode = status->st_ino;
    file->size = status->st_size;
    file->changed = status->st_mtim;
    file->octets = octets;
    ok = true;
out:
    (void)pthread_mutex_unlock(&memory->lock);
    return ok;
}

/* ---- maildrop ---- */

static bool set_unique_id(struct message *message)
{
    size_t len = strlen(message->name);
    bool valid = len <= UNIQUE_ID_MAX;
    for (size_t i = 0; valid && i < len; i++) {
        valid = message->name[i] >= 0x21 && message->name[i] <= 0x7E;
    }
    if (valid) {
        memcpy(message->unique_id, message->name, len + 1);
        return true;
    }
    return digest_sha256(message->name, len, message->unique_id);
}

/* Fills in a message from its file. *wanted is false for what is no message, or was deleted. */
static bool examine(struct message *message, struct memory *memory, bool *wanted)
{
    bool ok = false;
    struct stat status;
    *wanted = false;
    int fd = open(message->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return errno == ENOENT; /* it went away between readdir() and here */
    }
    if (fstat(fd, &status) != 0) {
        goto out;
    }
    if (!S_ISREG(status.st_mode)) {
        ok = true;
        goto out;
    }
    bool deleted = false;
    if (!recall(memory, message->path, &status, &message->octets, &deleted) &&
        (!message_octets(fd, &message->octets) ||
         !remember(memory, message->path, &status, message->octets))) {
        goto out;
    }
    *wanted = !deleted;
    ok = set_unique_id(message);
out:
    (void)close(fd);
    return ok;
}

static struct message *add(struct maildrop *drop)
{
    if (drop->n == drop->room) {
        size_t room = drop->room == 0 ? 64 : 2 * drop->room;
        struct message *grown = realloc(drop->messages, room * sizeof *grown);
        if (grown == NULL) {
            return NULL;
        }
        drop->messages = grown;
        drop->room = room;
    }
    struct message *message = &drop->messages[drop->n];
    memset(message, 0, sizeof *message);
    return message;
}

static bool read_folder(struct maildrop *drop, const char *folder, struct memory *memory)
{
    bool ok = false;
    DIR *stream = opendir(folder);
    if (stream == NULL) {
        return false;
    }
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(stream);
        if (entry == NULL) {
            ok = errno == 0;
            break;
        }
        if (entry->d_name[0] == '.') {
            continue;
        }
        struct message *message = add(drop);
        if (message == NULL || asprintf(&message->path, "%s/%s", folder, entry->d_name) < 0) {
            break;
        }
        message->name = message->path + strlen(folder) + 1;
        bool wanted;
        bool examined = examine(message, memory, &wanted);
        if (examined && wanted) {
            drop->n++;
        } else {
            free(message->path);
        }
        if (!examined) {
            break;
        }
    }
    (void)closedir(stream);
    return ok;
}

static int by_name(const void *a, const void *b)
{
    const struct message *left = a;
    const struct message *right = b;
    int order = strcmp(left->name, right->name);
    return order != 0 ? order : strcmp(left->path, right->path);
}

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

bool maildrop_read(struct maildrop *drop, const char *folder, struct memory *memory)
{
    bool ok = false;
    char *cur = NULL;
    char *new = NULL;
    memset(drop, 0, sizeof *drop);
    if (asprintf(&cur, "%s/cur", folder) < 0) {
        cur = NULL; /* asprintf() leaves it undefined */
        goto out;
    }
    if (asprintf(&new, "%s/new", folder) < 0) {
        new = NULL;
        goto out;
    }
    if (is_folder(cur) && is_folder(new)) {
        ok = read_folder(drop, cur, memory) && read_folder(drop, new, memory);
    } else {
        ok = read_folder(drop, folder, memory);
    }
    if (ok && drop->n > 0) {
        qsort(drop->messages, drop->n, sizeof *drop->messages, by_name);
    }
out:
    free(cur);
    free(new);
    if (!ok) {
        int saved = errno;
        maildrop_free(drop);
        errno = saved;
    }
    return ok;
}

void maildrop_free(struct maildrop *drop)
{
    for (size_t i = 0; i < drop->n; i++) {
        free(drop->messages[i].path);
    }
    free(drop->messages);
    memset(drop, 0, sizeof *drop);
}

bool maildrop_update(struct maildrop *drop, bool unlink_files, struct memory *memory)
{
    bool ok = true;
    for (size_t i = 0; i < drop->n; i++) {
        const struct message *message = &drop->messages[i];
        if (!message->deleted) {
            continue;
        }
        if (unlink_files) {
            /* Another session may have removed it already: that is what was wanted. */
            ok = (unlink(message->path) == 0 || errno == ENOENT) && ok;
            continue;
        }
        (void)pthread_mutex_lock(&memory->lock);
        struct remembered *file = find(memory, message->path);
        if (file != NULL) {
            file->deleted = true;
        }
        (void)pthread_mutex_unlock(&memory->lock);
    }
    return ok;
}

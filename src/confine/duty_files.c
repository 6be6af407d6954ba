/* The runner's requests about files: nothing in them is trusted, because the other process may have
 * been taken over. */
#include "confine/duty_files.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "support/local_socket.h"
#include "system/nameless.h"

#ifndef O_LARGEFILE
#define O_LARGEFILE 0 /* files are large without it */
#endif

/* What may follow the name of the file. A suffix that ends in "*" is a prefix. */
static const char *const beside[][5] = {[P3_DUTY_FILE_MBOX] = {"", ".lock", ".pop3-*"},
                                        [P3_DUTY_FILE_SOCKET] = {NULL}, /* it is not opened */
                                        [P3_BESIDE_READ] = {""},
                                        [P3_DUTY_FILE_STATE] = {"", "-journal", "-wal", "-shm"}};

static bool is_one_of(const char *rest, const char *const *names)
{
    for (; *names != NULL; names++) {
        size_t len = strcspn(*names, "*");
        bool begins = (*names)[len] == '*';
        if (strncmp(rest, *names, len) == 0 && (begins || rest[len] == '\0'))
            return strchr(rest, '/') == NULL;
    }
    return false;
}

/* The duty that a path belongs to, or NULL; and whether it is the file itself, which may be a link
 * to another place. */
static const p3_duty_file *find_duty(const p3_runner_duties *d, const char *path, bool *itself)
{
    for (size_t i = 0; i < d->file_count; i++) {
        const p3_duty_file *f = &d->files[i];
        size_t len = strlen(f->path);
        if (strncmp(path, f->path, len) == 0 && is_one_of(path + len, beside[f->kind])) {
            *itself = path[len] == '\0';
            return f;
        }
    }
    return NULL;
}

/* Whether a path is a companion of a file, which may be removed and linked. */
static bool is_duty_file(const p3_runner_duties *d, const char *path)
{
    bool itself = false;
    return find_duty(d, path, &itself) != NULL && !itself;
}

/* Whether it is the directory of a file, in the forms of dirname(3) and SQLite. */
static bool is_directory(const p3_runner_duties *d, const char *path)
{
    for (size_t i = 0; i < d->file_count; i++) {
        const char *file = d->files[i].path;
        if (beside[d->files[i].kind][1] == NULL)
            continue;
        const char *slash = strrchr(file, '/');
        size_t len = slash == NULL || slash == file ? 1 : (size_t)(slash - file);
        if (strlen(path) == len && strncmp(slash == NULL ? "." : file, path, len) == 0)
            return true;
    }
    return false;
}

static int open_duty(const p3_file_request *r, const p3_runner_duties *d, int *fd)
{
    const int to_read = O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_LARGEFILE;
    const int to_write = O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC | O_NOFOLLOW;
    bool itself = false;
    if ((r->flags & ~(O_CLOEXEC | O_DIRECTORY | O_LARGEFILE | O_NONBLOCK)) == O_RDONLY &&
        is_directory(d, r->path)) {
        *fd = open(r->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return *fd < 0 ? errno : 0;
    }
    const p3_duty_file *f = find_duty(d, r->path, &itself);
    bool reads = f != NULL && f->kind == P3_BESIDE_READ;
    if (f == NULL || (r->flags & ~(reads ? to_read : to_read | to_write)) != 0)
        return EACCES;
    *fd = open(r->path,
               r->flags | O_CLOEXEC | O_NOCTTY | (reads ? O_NONBLOCK : 0) |
                   (itself ? 0 : O_NOFOLLOW | O_NONBLOCK),
               0600);
    return *fd < 0 ? errno : 0;
}

static int connect_duty(const p3_file_request *r, const p3_runner_duties *d, int *fd)
{
    for (size_t i = 0; i < d->file_count; i++) {
        if (d->files[i].kind != P3_DUTY_FILE_SOCKET || strcmp(d->files[i].path, r->path) != 0)
            continue;
        *fd = p3_local_connect(r->path);
        return *fd < 0 ? errno : 0;
    }
    return EACCES;
}

int p3_duty_perform(const p3_file_request *r, const p3_runner_duties *d, int *fd)
{
    *fd = -1;
    if (memchr(r->path, '\0', P3_PATH) == NULL || memchr(r->to, '\0', P3_PATH) == NULL)
        return EINVAL;
    switch (r->deed) {
    case P3_FILE_OPEN:
        return open_duty(r, d, fd);
    case P3_FILE_LINK: /* a lock appears with its content; the file itself cannot be the new name */
        if (!is_duty_file(d, r->path) || !is_duty_file(d, r->to))
            return EACCES;
        return link(r->path, r->to) == 0 ? 0 : errno;
    case P3_FILE_UNLINK:
        if (!is_duty_file(d, r->path))
            return EACCES;
        return unlink(r->path) == 0 ? 0 : errno;
    case P3_FILE_CONNECT:
        return connect_duty(r, d, fd);
    case P3_FILE_SPOOL:
        *fd = d->spools ? p3_nameless_file(p3_nameless_directory()) : -1;
        return !d->spools ? EACCES : *fd < 0 ? errno : 0;
    case P3_FILE_IS_ALIVE:
        return d->file_count == 0 ? EACCES : r->flags > 0 && kill(r->flags, 0) == 0 ? 0 : errno;
    default:
        return EINVAL;
    }
}

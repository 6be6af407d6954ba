/* After a crash: which batches of an mbox were appended, which were not, and what is cut off. */
#include "sync/mbox_spool.h"
#include "sync/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "sync/mbox_lock.h"
#include "sync/outside.h"

bool p3_mbox_read(int fd, char *out, size_t size, uint64_t offset)
{
    ssize_t n = 0;
    for (size_t done = 0; done < size; done += (size_t)n) {
        n = pread(fd, out + done, size - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            n = 0;
        else if (n <= 0) {
            errno = n < 0 ? errno : EIO;
            return false;
        }
    }
    return true;
}

/* The last line of a spool: its length and its offset, and where the names end; `*sealed` is
 * whether it got so far. False, with errno, when it cannot be read. */
static bool read_trailer(p3_mbox_spool *s, uint64_t *offset, uint64_t *end, bool *sealed)
{
    char line[48] = "";
    struct stat st;
    const size_t len = 46; /* two numbers of 20 digits, two blanks, "end" and LF */
    *sealed = false;
    if (fstat(s->fd, &st) != 0)
        return false;
    if ((uint64_t)st.st_size < len)
        return true;
    *end = (uint64_t)st.st_size - len;
    if (!p3_mbox_read(s->fd, line, len, *end))
        return false;
    *sealed = sscanf(line, "%20" SCNu64 " %20" SCNu64 " end", &s->length, offset) == 2 &&
              s->length <= *end;
    return true;
}

/* How many octets of the spool the mbox, of so many octets, has at an offset. False, with errno,
 * when that cannot be told. */
static bool compare(const p3_mbox_spool *s, int mbox, uint64_t mbox_size, uint64_t offset,
                    uint64_t *same)
{
    uint64_t there = mbox_size > offset ? mbox_size - offset : 0;
    uint64_t most = there < s->length ? there : s->length;
    char *a = calloc(2, P3_COPY);
    bool ok = a != NULL;
    *same = 0;
    while (ok && *same < most) {
        uint64_t left = most - *same;
        size_t n = left < P3_COPY ? (size_t)left : P3_COPY;
        const char *b = a + P3_COPY;
        size_t i = 0;
        ok = p3_mbox_read(s->fd, a, n, *same) && p3_mbox_read(mbox, a + P3_COPY, n, offset + *same);
        while (ok && i < n && a[i] == b[i])
            i++;
        *same += i;
        if (i < n)
            break;
    }
    int error = errno;
    free(a);
    errno = error;
    return ok;
}

/* Marks the intents that a spool names. False, with errno, when its names cannot be read. */
static bool mark(const p3_mbox_spool *s, uint64_t end, p3_left_over *at, size_t count, bool there)
{
    size_t len = (size_t)(end - s->length);
    char *names = malloc(len + 1);
    bool ok = names != NULL && p3_mbox_read(s->fd, names, len, s->length);
    int error = errno;
    for (size_t from = 0; ok && from < len;) {
        const char *lf = memchr(names + from, '\n', len - from);
        size_t n = lf != NULL ? (size_t)(lf - names) - from : len - from;
        names[from + n] = '\0';
        for (size_t i = 0; i < count; i++) {
            if (strcmp(at[i].name, names + from) == 0)
                at[i].there = there;
        }
        from += n + 1;
    }
    free(names);
    errno = error;
    return ok;
}

/* Finds out whether what a spool holds is in the mbox, which is locked, and cuts off a part of it.
 */
static bool settle_locked(const p3_mbox *m, const p3_mbox_spool *s, int mbox, uint64_t offset,
                          bool *whole, p3_problem *why)
{
    struct stat st;
    uint64_t same = 0;
    if (fstat(mbox, &st) != 0 || !compare(s, mbox, (uint64_t)st.st_size, offset, &same))
        return p3_problem_errno(why, errno, "reading %s or %s", m->path, s->path);
    *whole = same == s->length;
    if (!*whole && same > 0 && (uint64_t)st.st_size == offset + same &&
        (ftruncate(mbox, (off_t)offset) != 0 || fsync(mbox) != 0))
        return p3_problem_errno(why, errno, "mending %s", m->path);
    /* Its octets may have been seen before they were on the disk, and so may its name. */
    if (*whole && (fsync(mbox) != 0 || !p3_folder_sync_entry(m->path)))
        return p3_problem_errno(why, errno, "syncing %s", m->path);
    return true;
}

/* What became of one spool that was left over. One that cannot be read stays: without it nobody
 * could tell whether its messages were delivered. */
static bool settle_spool(p3_mbox *m, p3_mbox_spool *s, p3_left_over *at, size_t count,
                         p3_problem *why)
{
    p3_mbox_lock lock;
    uint64_t offset = 0;
    uint64_t end = 0;
    bool sealed = false;
    bool whole = false;
    bool ok = read_trailer(s, &offset, &end, &sealed) ||
              p3_problem_errno(why, errno, "reading %s", s->path);
    if (!ok || !sealed) {
        p3_mbox_spool_free(s, ok); /* nothing of one that is not sealed has been appended */
        return ok;
    }
    ok = p3_mbox_lock_take(&lock, m->path, why);
    if (ok) {
        ok = settle_locked(m, s, lock.fd, offset, &whole, why);
        p3_mbox_lock_release(&lock);
    }
    if (ok && !mark(s, end, at, count, whole))
        ok = p3_problem_errno(why, errno, "reading %s", s->path);
    if (!ok) {
        p3_mbox_spool_free(s, false);
        return false;
    }
    s->next = m->sealed; /* it goes when what was found is recorded */
    m->sealed = s;
    return true;
}

/* Whether one of the intents is the first message of a spool, whose file is named after it. */
static bool is_ours(const char *rest, const p3_left_over *at, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(at[i].name, rest) == 0)
            return true;
    }
    return false;
}

/* Opens a spool that is beside the mbox. */
static p3_mbox_spool *open_left_over(const char *folder, const char *name, p3_problem *why)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);
    p3_mbox_spool *s = NULL;
    if (path != NULL) {
        snprintf(path, size, "%s/%s", folder, name);
        s = p3_mbox_spool_new(path);
    }
    free(path);
    if (s == NULL) {
        p3_problem_set(why, EX_OSERR, "out of memory");
        return NULL;
    }
    s->fd = p3_outside_open(s->path, O_RDONLY | O_CLOEXEC, 0);
    if (s->fd >= 0)
        return s;
    p3_problem_errno(why, errno, "reading %s", s->path);
    p3_mbox_spool_free(s, false);
    return NULL;
}

bool p3_mbox_settle(p3_delivery *d, p3_left_over *at, size_t count, p3_problem *why)
{
    p3_mbox *m = (p3_mbox *)d;
    const char *slash = strrchr(m->path, '/');
    const char *base = slash != NULL ? slash + 1 : m->path;
    size_t len = strlen(base);
    char *copy = strdup(m->path);
    if (copy == NULL)
        return p3_problem_set(why, EX_OSERR, "out of memory");
    const char *folder = dirname(copy);
    int fd = p3_outside_open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    bool ok = dir != NULL;
    const struct dirent *e;
    if (!ok)
        p3_problem_errno(why, errno, "reading the folder of %s", m->path);
    for (errno = 0; ok && (e = readdir(dir)) != NULL; errno = 0) {
        if (strncmp(e->d_name, base, len) != 0 || strncmp(e->d_name + len, ".pop3-", 6) != 0 ||
            !is_ours(e->d_name + len + 6, at, count))
            continue;
        p3_mbox_spool *s = open_left_over(folder, e->d_name, why);
        ok = s != NULL && settle_spool(m, s, at, count, why);
    }
    if (ok && errno != 0)
        ok = p3_problem_errno(why, errno, "reading the folder of %s", m->path);
    if (dir != NULL)
        (void)closedir(dir);
    else if (fd >= 0)
        (void)close(fd);
    free(copy);
    return ok;
}

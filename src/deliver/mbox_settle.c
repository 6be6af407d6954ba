/* After a crash: finds out which messages were appended to an mbox, and cuts off only what is
 * proven to be an unfinished append of ours. */
#include "deliver/mbox_settle.h"
#include "deliver/directory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "deliver/mbox_files.h"
#include "deliver/mbox_lock.h"
#include "deliver/mbox_scan.h"
#include "confine/outside.h"
#include "support/file.h"

/* How the mbox, from the offset on, compares with what was to be appended. */
typedef struct p3_append {
    uint64_t same; /* equal octets, from the beginning */
    bool torn; /* the mbox ends within it, and everything that differs is NUL: an interrupted write
                */
} p3_append;

/* What was to be written at the offset: missing line ends, then the spool. */
static bool read_intended(const p3_mbox_spool *s, char *out, size_t size, uint64_t at)
{
    for (; size > 0 && at < s->missing; size--, at++)
        *out++ = '\n';
    return size == 0 || p3_read_at(s->fd, out, size, at - s->missing);
}

/* Compares them. False with errno. */
static bool compare(const p3_mbox_spool *s, int mbox, uint64_t mbox_size, p3_append *out)
{
    uint64_t there = mbox_size > s->offset ? mbox_size - s->offset : 0;
    uint64_t whole = s->missing + s->length;
    uint64_t most = there < whole ? there : whole;
    char *a = calloc(2, P3_COPY);
    bool ok = a != NULL;
    bool equal = true;
    *out = (p3_append){.torn = there > 0 && there <= whole};
    for (uint64_t done = 0; ok && done < most && (equal || out->torn);) {
        size_t n = most - done < P3_COPY ? (size_t)(most - done) : P3_COPY;
        const char *b = a + P3_COPY;
        ok = read_intended(s, a, n, done) && p3_read_at(mbox, a + P3_COPY, n, s->offset + done);
        for (size_t i = 0; ok && i < n; i++) {
            equal = equal && a[i] == b[i];
            out->same += equal;
            out->torn = out->torn && (a[i] == b[i] || b[i] == '\0');
        }
        done += n;
    }
    int error = errno;
    free(a);
    errno = error;
    return ok;
}

/* Finds an intent by its name, among those sorted by p3_mbox_settle(). NULL when there is none. */
static p3_left_over *find_intent(p3_left_over *at, size_t count, const char *name)
{
    p3_left_over key = {.name = name};
    return count > 0 ? bsearch(&key, at, count, sizeof *at, p3_left_over_compare) : NULL;
}

/* Marks the intents in a spool, in the order of its messages. False, with errno, when its names
 * cannot be read. */
static bool mark(const p3_mbox_spool *s, uint64_t end, p3_left_over *at, size_t count,
                 const bool *there, size_t messages)
{
    size_t len = (size_t)(end - s->length);
    char *names = malloc(len + 1);
    bool ok = names != NULL && p3_read_at(s->fd, names, len, s->length);
    int error = errno;
    size_t number = 0;
    for (size_t from = 0; ok && from < len; number++) {
        const char *lf = memchr(names + from, '\n', len - from);
        size_t n = lf != NULL ? (size_t)(lf - names) - from : len - from;
        names[from + n] = '\0';
        p3_left_over *intent = find_intent(at, count, names + from);
        if (intent != NULL)
            intent->there = number < messages && there[number];
        from += n + 1;
    }
    free(names);
    errno = error;
    return ok;
}

/* The mbox ends within the append, possibly with holes: complete messages count, and the incomplete
 * one is cut off. Nothing else is cut off: after a reader has removed the last messages, the others
 * are complete. */
static bool mend_torn(const p3_mbox_spool *s, int mbox, uint64_t size, uint64_t same,
                      const p3_mbox_messages *messages, bool *there)
{
    uint64_t keep = 0;
    for (size_t i = 0; i < messages->count; i++) {
        there[i] = s->missing + messages->at[i].end <= same;
        if (there[i])
            keep = s->missing + messages->at[i].end;
    }
    return size == s->offset + keep ||
           (ftruncate(mbox, (off_t)(s->offset + keep)) == 0 && fsync(mbox) == 0);
}

/* Other programs have changed the mbox: searches all of it for each message. */
static bool search(int mbox, uint64_t size, const p3_mbox_messages *messages, bool *there)
{
    p3_mbox_messages all;
    bool ok = p3_mbox_scan(mbox, size, &all) && p3_mbox_find(messages, &all, there);
    int error = errno;
    p3_mbox_messages_free(&all);
    errno = error;
    return ok;
}

/* Finds out which messages of a spool are in the mbox, which is locked, and repairs its end. */
static bool settle_locked(const char *path, const p3_mbox_spool *s, int mbox,
                          const p3_mbox_messages *messages, bool *there, p3_problem *why)
{
    struct stat st;
    p3_append append;
    bool any = false;
    bool read = fstat(mbox, &st) == 0 && compare(s, mbox, (uint64_t)st.st_size, &append);
    uint64_t size = read ? (uint64_t)st.st_size : 0;
    if (read && append.same == s->missing + s->length)
        memset(there, true, messages->count);
    else if (read && append.torn && !mend_torn(s, mbox, size, append.same, messages, there))
        return p3_problem_errno(why, errno, "mending %s", path);
    else if (read && !append.torn && size != s->offset)
        read = search(mbox, size, messages, there);
    if (!read)
        return p3_problem_errno(why, errno, "reading %s or %s", path, s->path);
    for (size_t i = 0; i < messages->count; i++)
        any = any || there[i];
    /* Neither their octets nor the mbox's name may have been on the disk when they were seen. */
    if (any && (fsync(mbox) != 0 || !p3_directory_sync_entry(path)))
        return p3_problem_errno(why, errno, "syncing %s", path);
    return true;
}

/* The same, with locking. Marks the intents. */
static bool settle_sealed(const char *path, const p3_mbox_spool *s, uint64_t end, p3_left_over *at,
                          size_t count, p3_problem *why)
{
    p3_mbox_lock lock;
    p3_mbox_messages messages;
    bool ok = p3_mbox_scan(s->fd, s->length, &messages);
    bool *there = ok ? calloc(messages.count + 1, sizeof *there) : NULL;
    if (there == NULL) {
        p3_problem_errno(why, errno, "reading %s", s->path);
        ok = false;
    } else if ((ok = p3_mbox_lock_acquire(&lock, path, why))) {
        ok = settle_locked(path, s, lock.fd, &messages, there, why);
        p3_mbox_lock_release(&lock);
        if (ok && !mark(s, end, at, count, there, messages.count))
            ok = p3_problem_errno(why, errno, "reading %s", s->path);
    }
    free(there);
    p3_mbox_messages_free(&messages);
    return ok;
}

/* ---- what is beside the mbox ---- */

/* The parameters of settling. */
typedef struct p3_settling {
    const char *path; /* of the mbox */
    const char *owner;
    p3_left_over *at; /* the intents; none if only left-over files are removed */
    size_t count;
    p3_mbox_spool **sealed;
} p3_settling;

/* Settles a left-over spool. One that cannot be read stays: it is the only evidence of whether its
 * messages were delivered. */
static bool settle_spool(const p3_settling *s, p3_mbox_spool *spool, p3_problem *why)
{
    uint64_t end = 0;
    bool sealed = false;
    bool ok = p3_mbox_spool_read(spool, &end, &sealed) ||
              p3_problem_errno(why, errno, "reading %s", spool->path);
    if (!ok || !sealed) {
        p3_mbox_spool_free(spool, ok); /* an incomplete spool has not been appended */
        return ok;
    }
    if (!settle_sealed(s->path, spool, end, s->at, s->count, why)) {
        p3_mbox_spool_free(spool, false);
        return false;
    }
    spool->next = *s->sealed;
    *s->sealed = spool;
    return true;
}

/* The part of a spool's name after the owner's mark; or NULL for another owner's. */
static const char *name_of_owner(const char *rest, const char *owner)
{
    size_t len = strlen(owner);
    const char *name = rest + sizeof P3_MBOX_FILE - 1;
    bool ours = strncmp(rest, P3_MBOX_FILE, sizeof P3_MBOX_FILE - 1) == 0 && len > 0 &&
                strncmp(name, owner, len) == 0 && name[len] == '-';
    return ours ? name + len + 1 : NULL;
}

/* Its owner does not need a spool that no intent names. We are the owner: the account is locked, so
 * no other run uses it. Spools of other accounts may be their only evidence of what was delivered.
 * Spools of an earlier version have no owner. */
static bool settle_file(void *ctx, const char *path, const char *rest, p3_problem *why)
{
    const p3_settling *s = ctx;
    if (strcmp(rest, P3_DOTLOCK) == 0 ||
        strncmp(rest, P3_MBOX_FILE_LOCK, sizeof P3_MBOX_FILE_LOCK - 1) == 0) {
        p3_mbox_lock_tidy(s->path, path);
        return true;
    }
    const char *name = name_of_owner(rest, s->owner);
    bool ours = name != NULL;
    /* A spool's file is named after its first message. */
    if (find_intent(s->at, s->count, ours ? name : rest + sizeof P3_MBOX_FILE - 1) != NULL) {
        p3_mbox_spool *spool = p3_mbox_spool_open(path, why);
        return spool != NULL && settle_spool(s, spool, why);
    }
    if (ours)
        (void)p3_outside_unlink(path); /* otherwise the next run does */
    return true;
}

bool p3_mbox_settle(const char *path, const char *owner, p3_left_over *at, size_t count,
                    p3_mbox_spool **sealed, p3_problem *why)
{
    p3_settling s = {path, owner, at, count, sealed};
    if (count > 0)
        qsort(at, count, sizeof *at, p3_left_over_compare);
    return p3_mbox_each_file(path, settle_file, &s, why);
}

/* A search for spools of an owner. */
typedef struct p3_spool_search {
    const char *owner;
    bool found;
} p3_spool_search;

static bool look_at_file(void *ctx, const char *path, const char *rest, p3_problem *why)
{
    p3_spool_search *s = ctx;
    (void)path;
    (void)why;
    s->found = s->found || name_of_owner(rest, s->owner) != NULL;
    return true;
}

bool p3_mbox_has_spool(const char *path, const char *owner)
{
    p3_problem why;
    p3_spool_search s = {.owner = owner};
    return p3_mbox_each_file(path, look_at_file, &s, &why) && s.found;
}

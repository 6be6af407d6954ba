/* Delivers to an mbox (format mboxrd: a line of ">"s and "From " gets another ">").
 *
 * A batch is first written to a spool file beside the mbox, with the names of its messages and,
 * once the mbox is locked, the offset at which it will be appended; only then is it appended. The
 * spool remains until the delivery is recorded. After a crash it shows which of its messages the
 * mbox has, and what at its end is an unfinished append: see mbox_settle.c. */
#include "deliver/mbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "deliver/directory.h"
#include "deliver/mbox_lock.h"
#include "deliver/mbox_settle.h"
#include "support/crash_point.h"
#include "support/file.h"

static const char from_line[] = "From ";

typedef struct p3_mbox {
    p3_delivery base;
    char *path;
    p3_mbox_spool *spool;  /* of the batch being filled, or NULL */
    p3_mbox_spool *sealed; /* results of settle(), until they are recorded */
    uint64_t start;        /* offset at which the current message begins */
    const char *name;
    bool line_start; /* the next octet begins a line */
    uint64_t angles; /* ">"s held back at the beginning of a line */
    size_t matched;  /* characters of "From " held back after them */
    size_t used;     /* of the buffer: octets of this message that are not in the spool */
    char buffer[32768];
} p3_mbox;

/* ---- writing a message ---- */

static bool flush(p3_mbox *m, p3_problem *why)
{
    size_t used = m->used;
    m->used = 0;
    return p3_write_all(m->spool->fd, m->buffer, used) ||
           p3_problem_errno(why, errno, "writing to %s", m->spool->path);
}

static bool write_octets(p3_mbox *m, const char *data, size_t len, p3_problem *why)
{
    m->spool->length += len;
    while (len > 0) {
        size_t room = sizeof m->buffer - m->used;
        size_t n = len < room ? len : room;
        memcpy(m->buffer + m->used, data, n);
        m->used += n;
        data += n;
        len -= n;
        if (m->used == sizeof m->buffer && !flush(m, why))
            return false;
    }
    return true;
}

static bool mbox_begin(p3_delivery *d, const char *name, const char *sender, p3_problem *why)
{
    p3_mbox *m = (p3_mbox *)d;
    char line[500];
    char date[40];
    struct tm t;
    time_t now = time(NULL);
    m->name = name;
    m->line_start = true;
    m->angles = m->matched = m->used = 0;
    if (m->spool == NULL)
        m->spool = p3_mbox_spool_make(m->path, d->owner.mark, name, why);
    if (m->spool == NULL)
        return false;
    m->start = m->spool->length;
    if (gmtime_r(&now, &t) == NULL || strftime(date, sizeof date, "%a %b %e %H:%M:%S %Y", &t) == 0)
        return p3_problem_set(why, EX_SOFTWARE, "writing a date");
    snprintf(line, sizeof line, "From %s %s\n", sender[0] != '\0' ? sender : "MAILER-DAEMON", date);
    return write_octets(m, line, strlen(line), why);
}

/* Writes what was held back at the beginning of a line. */
static bool release(p3_mbox *m, bool is_from, p3_problem *why)
{
    bool ok = !is_from || write_octets(m, ">", 1, why);
    for (; ok && m->angles > 0; m->angles--)
        ok = write_octets(m, ">", 1, why);
    ok = ok && (m->matched == 0 || write_octets(m, from_line, m->matched, why));
    m->matched = 0;
    m->line_start = false;
    return ok;
}

static bool mbox_write(p3_delivery *d, const char *data, size_t len, p3_problem *why)
{
    p3_mbox *m = (p3_mbox *)d;
    const char *end = data + len;
    while (data < end) {
        if (!m->line_start) {
            const char *lf = memchr(data, '\n', (size_t)(end - data));
            size_t run = lf != NULL ? (size_t)(lf - data) + 1 : (size_t)(end - data);
            if (!write_octets(m, data, run, why))
                return false;
            m->line_start = lf != NULL;
            data += run;
        } else if (*data == '>' && m->matched == 0) {
            m->angles++;
            data++;
        } else if (*data == from_line[m->matched]) {
            m->matched++;
            data++;
            if (m->matched == sizeof from_line - 1 && !release(m, true, why))
                return false;
        } else if (!release(m, false, why)) {
            return false;
        }
    }
    return true;
}

static bool mbox_finish(p3_delivery *d, p3_parcel *out, p3_problem *why)
{
    p3_mbox *m = (p3_mbox *)d;
    bool whole_line = m->line_start && m->angles == 0 && m->matched == 0;
    if (!whole_line && !release(m, false, why))
        return false;
    if (!write_octets(m, whole_line ? "\n" : "\n\n", whole_line ? 1 : 2, why) || !flush(m, why))
        return false;
    out->name = m->name;
    out->octets = m->spool->length - m->start;
    m->name = NULL;
    return true;
}

static void mbox_abandon(p3_delivery *d)
{
    p3_mbox *m = (p3_mbox *)d;
    if (m->spool == NULL || m->name == NULL)
        return;
    m->name = NULL;
    m->used = 0;
    if (m->start == 0) { /* it is named after this message, which may not be an intent any more */
        p3_mbox_spool_free(m->spool, true);
        m->spool = NULL;
        return;
    }
    m->spool->length = m->start;
    if (ftruncate(m->spool->fd, (off_t)m->start) != 0 ||
        lseek(m->spool->fd, (off_t)m->start, SEEK_SET) < 0)
        m->spool->length = UINT64_MAX; /* deliver() rejects it */
}

static void mbox_seal(p3_delivery *d, p3_batch *batch)
{
    p3_mbox *m = (p3_mbox *)d;
    batch->spool = m->spool;
    m->spool = NULL;
}

/* All finished messages are in the spool of the current batch, and nothing else is. */
static void mbox_discard(p3_delivery *d, const p3_parcel *parcels, size_t count)
{
    p3_mbox *m = (p3_mbox *)d;
    (void)parcels;
    (void)count;
    mbox_abandon(d);
    p3_mbox_spool_free(m->spool, true);
    m->spool = NULL;
}

/* ---- delivering ---- */

/* How many line ends are missing at the end of the mbox, if another program left it without an end
 * or without the empty line before a From line: appended text would be taken for a part of that
 * message. */
static bool find_missing(int mbox, uint64_t size, unsigned *missing)
{
    char tail[3] = "";
    size_t n = size < sizeof tail ? (size_t)size : sizeof tail;
    *missing = 0;
    if (n == 0)
        return true;
    if (!p3_read_at(mbox, tail, n, size - n))
        return false;
    bool ended = tail[n - 1] == '\n';
    bool empty =
        ended && (n == 1 || tail[n - 2] == '\n' || (n == 3 && tail[1] == '\r' && tail[0] == '\n'));
    *missing = empty ? 0 : ended ? 1 : 2;
    return true;
}

static bool append(const p3_mbox_spool *s, int to)
{
    char *room = malloc(P3_COPY);
    bool ok = room != NULL && lseek(to, (off_t)s->offset, SEEK_SET) >= 0 &&
              p3_write_all(to, "\n\n", s->missing);
    for (uint64_t done = 0; ok && done < s->length;) {
        uint64_t left = s->length - done;
        ssize_t n = pread(s->fd, room, left < P3_COPY ? (size_t)left : P3_COPY, (off_t)done);
        if (n < 0 && errno == EINTR)
            continue;
        p3_crash_point("mbox-append");
        ok = n > 0 && p3_write_all(to, room, (size_t)n);
        done += ok ? (uint64_t)n : 0;
    }
    int error = errno;
    free(room);
    errno = error;
    return ok && fsync(to) == 0;
}

static void mbox_deliver(p3_batch *b)
{
    const p3_mbox *m = (const p3_mbox *)b->to;
    p3_mbox_spool *s = b->spool;
    p3_mbox_lock lock;
    struct stat st;
    if (s == NULL || s->length == UINT64_MAX) {
        p3_problem_set(&b->problem, EX_IOERR, "writing beside %s", m->path);
        return;
    }
    if (!p3_mbox_lock_acquire(&lock, m->path, &b->problem))
        return;
    s->offset = fstat(lock.fd, &st) == 0 ? (uint64_t)st.st_size : UINT64_MAX;
    if (s->offset == UINT64_MAX || !find_missing(lock.fd, s->offset, &s->missing)) {
        p3_problem_errno(&b->problem, errno, "reading %s", m->path);
    } else if (!p3_mbox_spool_seal(s, b)) {
        p3_problem_errno(&b->problem, errno, "writing to %s", s->path);
    } else {
        p3_crash_point("mbox-trailer");
        if (!append(s, lock.fd)) {
            p3_problem_errno(&b->problem, errno, "appending to %s", m->path);
            if (ftruncate(lock.fd, st.st_size) != 0)
                p3_crash_point("mbox-not-mended"); /* the next run repairs it */
        }
        p3_crash_point("mbox-appended");
        if (b->problem.exit == 0 && s->offset == 0 && !p3_directory_sync_entry(m->path))
            p3_problem_errno(&b->problem, errno, "syncing the directory of %s", m->path);
    }
    p3_mbox_lock_release(&lock);
    for (size_t i = 0; i < b->count; i++)
        b->parcels[i].delivered = b->problem.exit == 0;
}

static bool settle(p3_delivery *d, p3_left_over *at, size_t count, p3_problem *why)
{
    p3_mbox *m = (p3_mbox *)d;
    return p3_mbox_settle(m->path, d->owner.mark, at, count, &m->sealed, why);
}

static void mbox_recorded(p3_delivery *d, p3_batch *batch, bool kept)
{
    p3_mbox *m = (p3_mbox *)d;
    if (batch != NULL) {
        p3_mbox_spool_free(batch->spool, kept); /* otherwise the next run needs it */
        return;
    }
    while (m->sealed != NULL) {
        p3_mbox_spool *next = m->sealed->next;
        p3_mbox_spool_free(m->sealed, kept);
        m->sealed = next;
    }
}

static void mbox_close(p3_delivery *d)
{
    p3_mbox *m = (p3_mbox *)d;
    p3_mbox_spool_free(m->spool, true); /* nothing in it was handed in */
    mbox_recorded(d, NULL, false);
    free(m->path);
    free(m);
}

static const p3_delivery_class mbox_class = {
    .slow = true,
    .prints = true,
    .begin = mbox_begin,
    .write = mbox_write,
    .finish = mbox_finish,
    .abandon = mbox_abandon,
    .discard = mbox_discard,
    .seal = mbox_seal,
    .deliver = mbox_deliver,
    .recorded = mbox_recorded,
    .settle = settle,
    .close = mbox_close,
};

p3_delivery *p3_mbox_open(const char *path, const p3_envelope *envelope, p3_problem *why)
{
    (void)envelope;
    p3_mbox *m = calloc(1, sizeof *m);
    if (m == NULL || (m->path = strdup(path)) == NULL) {
        free(m);
        p3_problem_memory(why);
        return NULL;
    }
    m->base.class = &mbox_class;
    return &m->base;
}

bool p3_mbox_has(const char *path, const char *owner)
{
    return p3_mbox_has_spool(path, owner);
}

void p3_mbox_tidy(const char *path, const char *owner)
{
    p3_problem why;
    p3_mbox_spool *none = NULL; /* without intents no spool is evidence */
    (void)p3_mbox_settle(path, owner, NULL, 0, &none, &why);
}

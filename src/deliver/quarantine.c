/* Where a message goes that its target refuses for good. */
#include "deliver/quarantine.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "deliver/maildir.h"
#include "support/file.h"

/* The note as a header field: one line, whatever the server said. */
static bool write_note(p3_delivery *d, const char *note, p3_problem *why)
{
    char line[900];
    int len = snprintf(line, sizeof line, P3_QUARANTINE_FIELD ": %.800s", note);
    for (int i = 0; i < len; i++) {
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
            line[i] = ' ';
    }
    line[len] = '\n';
    return d->class->write(d, line, (size_t)len + 1, why);
}

static bool copy(p3_delivery *d, int fd, uint64_t offset, uint64_t length, p3_problem *why)
{
    char piece[16 * 1024];
    bool ok = true;
    for (uint64_t done = 0; ok && done < length;) {
        size_t n = length - done < sizeof piece ? (size_t)(length - done) : sizeof piece;
        if (!p3_read_at(fd, piece, n, offset + done))
            return p3_problem_errno(why, errno, "reading a message that was refused");
        ok = d->class->write(d, piece, n, why);
        done += n;
    }
    return ok;
}

static bool deliver(p3_delivery *d, p3_parcel *parcel, p3_problem *why)
{
    p3_batch batch = {.to = d, .parcels = parcel, .count = 1};
    p3_batch *list[] = {&batch};
    d->class->deliver(list, 1);
    if (batch.problem.exit != 0)
        *why = batch.problem;
    return batch.problem.exit == 0 && parcel->delivered;
}

bool p3_quarantine_put(const char *maildir, const char *name, int fd, uint64_t offset,
                       uint64_t length, const char *note, p3_problem *why)
{
    p3_left_over left = {.name = name};
    p3_parcel parcel = {.fd = -1};
    p3_delivery *d = p3_maildir_open(maildir, NULL, why);
    if (d == NULL)
        return false;
    bool ok = d->class->settle(d, &left, 1, why);
    if (ok && !left.there) {
        ok = d->class->begin(d, name, "", why) && write_note(d, note, why) &&
             copy(d, fd, offset, length, why) && d->class->finish(d, &parcel, why);
        if (ok)
            ok = deliver(d, &parcel, why);
        else
            d->class->abandon(d);
    }
    d->class->close(d);
    return ok;
}

bool p3_quarantine_settle(const char *maildir, p3_left_over *at, size_t count, p3_problem *why)
{
    p3_delivery *d = p3_maildir_open(maildir, NULL, why);
    size_t first = 0;
    if (d == NULL)
        return false;
    for (size_t i = 0; i < count; i++) { /* those that are at the target go to the front */
        if (at[i].there) {
            p3_left_over moved = at[i];
            at[i] = at[first];
            at[first++] = moved;
        }
    }
    bool ok = first == count || d->class->settle(d, at + first, count - first, why);
    d->class->close(d);
    return ok;
}

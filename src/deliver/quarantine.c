/* The quarantine for permanently refused messages. */
#include "deliver/quarantine.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "deliver/maildir.h"
#include "support/file.h"

/* A header field on one line, whatever the server's text is. */
static bool write_field(p3_delivery *d, const char *name, const char *text, p3_problem *why)
{
    char line[900];
    int len = snprintf(line, sizeof line, "%.40s: %.800s", name, text);
    for (int i = 0; i < len; i++) {
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
            line[i] = ' ';
    }
    line[len] = '\n';
    return d->class->write(d, line, (size_t)len + 1, why);
}

static bool copy(p3_delivery *d, const p3_spool_mail *mail, p3_problem *why)
{
    char piece[16 * 1024];
    bool ok = true;
    for (uint64_t done = 0; ok && done < mail->length;) {
        uint64_t left = mail->length - done;
        size_t n = left < sizeof piece ? (size_t)left : sizeof piece;
        if (!p3_read_at(mail->fd, piece, n, mail->offset + done))
            return p3_problem_errno(why, errno, "reading a message that was refused");
        ok = d->class->write(d, piece, n, why);
        done += n;
    }
    return ok;
}

static bool deliver(p3_delivery *d, p3_parcel *parcel, p3_problem *why)
{
    p3_batch batch = {.to = d, .parcels = parcel, .count = 1};
    d->class->deliver(&batch);
    if (batch.problem.exit != 0)
        *why = batch.problem;
    return batch.problem.exit == 0 && parcel->delivered;
}

/* Separates a message's name from a recipient's digits; not part of any host name. */
#define P3_BEHIND '+'
#define P3_DIGITS 16

/* The name for one recipient: the message's, and a hash of the recipient (FNV-1a). */
static void name_for(char *out, size_t size, const char *name, const char *recipient)
{
    uint64_t number = 0xcbf29ce484222325;
    for (const char *at = recipient; *at != '\0'; at++)
        number = (number ^ (unsigned char)*at) * 0x100000001b3;
    snprintf(out, size, "%s%c%0*" PRIx64, name, P3_BEHIND, P3_DIGITS, number);
}

size_t p3_quarantine_name(const char *name)
{
    const char *at = strrchr(name, P3_BEHIND);
    bool is_behind =
        at != NULL && strspn(at + 1, "0123456789abcdef") == P3_DIGITS && at[1 + P3_DIGITS] == '\0';
    return is_behind ? (size_t)(at - name) : strlen(name);
}

static bool write_message(p3_delivery *d, const char *name, const char *recipient,
                          const p3_spool_mail *mail, const char *note, p3_problem *why)
{
    return d->class->begin(d, name, "", why) && write_field(d, P3_QUARANTINE_FIELD, note, why) &&
           (recipient == NULL || write_field(d, P3_QUARANTINE_RECIPIENT, recipient, why)) &&
           copy(d, mail, why);
}

bool p3_quarantine_put(const char *maildir, const p3_parcel *of, const char *recipient,
                       const p3_spool_mail *mail, const char *note, p3_problem *why)
{
    char own[400];
    const char *name = of->name;
    if (recipient != NULL) {
        name_for(own, sizeof own, name, recipient);
        name = own;
    }
    p3_left_over left = {.name = name};
    p3_parcel parcel = {.fd = -1};
    p3_delivery *d = p3_maildir_open(maildir, NULL, why);
    if (d == NULL)
        return false;
    /* A new name does not exist yet, so the Maildir, which may be large, need not be searched. */
    bool ok = !of->again || d->class->settle(d, &left, 1, why);
    if (ok && !left.there) {
        ok =
            write_message(d, name, recipient, mail, note, why) && d->class->finish(d, &parcel, why);
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
    for (size_t i = 0; i < count; i++) { /* move those that are at the target to the front */
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

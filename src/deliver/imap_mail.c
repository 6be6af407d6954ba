/* A message for an IMAP server. */
#include "deliver/imap_mail.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "support/header_field.h"
#include "support/file.h"
#include "support/mail_date.h"

#define P3_PIECE ((size_t)16 * 1024)

/* Octets of a header that are searched for dates. */
#define P3_HEADER_LOOKED ((size_t)32 * 1024)

/* ---- line ends ---- */

/* Converts octets to a literal's (RFC 9051 §9: no NUL, which becomes 0x80 as in other software),
 * and each line end to CRLF. `out` has room for twice as many. */
static size_t convert(const char *in, size_t len, char *last, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (in[i] == '\n' && *last != '\r')
            out[n++] = '\r';
        out[n++] = in[i] != '\0' ? in[i] : (char)0x80;
        *last = in[i];
    }
    return n;
}

/* Converts a message; with `w` of NULL only counts. */
static bool go_through(const p3_spool_mail *m, p3_imap_wire *w, uint64_t *octets, bool *unread)
{
    char in[P3_PIECE];
    char out[2 * P3_PIECE];
    char last = '\0';
    *octets = 0;
    for (uint64_t done = 0; done < m->length;) {
        uint64_t left = m->length - done;
        size_t n = left < sizeof in ? (size_t)left : sizeof in;
        *unread = !p3_read_at(m->fd, in, n, m->offset + done);
        if (*unread)
            return false;
        done += n;
        size_t len = convert(in, n, &last, out);
        *octets += len;
        if (w != NULL && !p3_imap_put(w, out, len))
            return false;
    }
    return true;
}

/* ---- dates ---- */

/* Writes a date-time: "17-Jul-1996 02:44:25 +0000", in UTC. Writes nothing for an invalid time. */
static void write_date(int64_t seconds, char *out, size_t size)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t when = (time_t)seconds;
    struct tm t;
    if (seconds < 0 || gmtime_r(&when, &t) == NULL || t.tm_year + 1900 > 9999)
        return;
    snprintf(out, size, "%2d-%s-%04d %02d:%02d:%02d +0000", t.tm_mday % 100, months[t.tm_mon % 12],
             (t.tm_year + 1900) % 10000, t.tm_hour % 100, t.tm_min % 100, t.tm_sec % 100);
}

/* Takes an unfolded field's value if it has a date. */
static bool take_value(const char *value, bool received, char *out, size_t size)
{
    const char *semicolon = received ? strrchr(value, ';') : NULL;
    int64_t seconds;
    if ((received && semicolon == NULL) ||
        !p3_mail_date_read(received ? semicolon + 1 : value, &seconds))
        return false;
    write_date(seconds, out, size);
    return out[0] != '\0';
}

/* Finds the first valid date in a field of a header. */
static void find_date(const char *header, const char *end, const char *name, char *out, size_t size)
{
    p3_field f;
    bool found = false;
    while (!found && p3_field_next(&header, end, &f)) {
        char value[2000];
        size_t used = 0;
        if (!p3_field_is(&f, name))
            continue;
        for (const char *c = f.value; c < f.end && used + 1 < sizeof value; c++)
            value[used++] = *c != '\r' && *c != '\n' && *c != '\0' ? *c : ' ';
        value[used] = '\0';
        found = take_value(value, name[0] == 'R', out, size);
    }
}

bool p3_imap_mail_examine(p3_imap_mail *m, const p3_spool_mail *spooled, p3_imap_date date)
{
    bool unread;
    *m = (p3_imap_mail){.spooled = spooled};
    if (!go_through(spooled, NULL, &m->octets, &unread))
        return false;
    if (date == P3_IMAP_NOW)
        return true;
    char header[P3_HEADER_LOOKED];
    size_t len = spooled->length < P3_HEADER_LOOKED ? (size_t)spooled->length : P3_HEADER_LOOKED;
    if (!p3_read_at(spooled->fd, header, len, spooled->offset))
        return false;
    if (date == P3_IMAP_RECEIVED)
        find_date(header, header + len, "Received", m->date, sizeof m->date);
    if (m->date[0] == '\0')
        find_date(header, header + len, "Date", m->date, sizeof m->date);
    return true;
}

bool p3_imap_mail_put(const p3_imap_mail *m, p3_imap_wire *w, bool *unread)
{
    uint64_t octets;
    *unread = false;
    if (!go_through(m->spooled, w, &octets, unread))
        return false;
    if (octets == m->octets)
        return true;
    *unread = true; /* the file has changed */
    errno = EIO;
    return false;
}

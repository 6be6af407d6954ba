/* Delivers to an LMTP server (RFC 2033), or submits to an SMTP server (RFC 6409), which says of
 * each message whether it has it.
 *
 * What a server did with a message cannot be asked afterwards: after a crash, or when its word got
 * lost, the message comes again, under the name of its intent in a header field, so that a filter
 * there can tell. What it refuses for good goes to a Maildir, with a note; what it refuses for now
 * stays where it is. Neither keeps the others back. */
#include "deliver/lmtp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "deliver/lmtp_session.h"
#include "deliver/parcel.h"
#include "deliver/spool.h"

/* So many messages in a row that were refused for now, or got lost, and the rest waits. */
#define P3_SETBACKS_MOST 10

typedef struct p3_lmtp {
    p3_delivery base;
    char *where;
    bool is_smtp;
    p3_address address; /* of an LMTP server: points into `where` */
    p3_server_url url;  /* of an SMTP server */
    const p3_envelope *envelope;
    p3_spool *spool;  /* of the batch being filled, or NULL */
    const char *name; /* of the message being written, or NULL */
    char *sender;
    p3_lmtp_session *session; /* only used by deliver(), and at the end */
} p3_lmtp;

/* ---- writing a message ---- */

static bool spool_fails(p3_problem *why)
{
    return p3_problem_errno(why, errno, "keeping messages for the server");
}

static bool lmtp_begin(p3_delivery *d, const char *name, const char *sender, p3_problem *why)
{
    p3_lmtp *m = (p3_lmtp *)d;
    const p3_envelope *e = m->envelope;
    char line[300];
    m->name = name;
    if (e == NULL || e->recipient == NULL || (m->is_smtp && e->smtp == NULL))
        return p3_problem_set(why, EX_CONFIG, "delivering to %s: no recipient is given", m->where);
    m->sender = strdup(e->sender != NULL ? e->sender : sender);
    if (m->sender == NULL)
        return p3_problem_set(why, EX_OSERR, "out of memory");
    if (m->spool == NULL && (m->spool = p3_spool_new(why)) == NULL)
        return false;
    p3_spool_begin(m->spool, m->sender, e->recipient);
    snprintf(line, sizeof line, P3_DELIVERY_FIELD ": %s\n", name);
    return p3_spool_write(m->spool, line, strlen(line)) || spool_fails(why);
}

static bool lmtp_write(p3_delivery *d, const char *data, size_t len, p3_problem *why)
{
    return p3_spool_write(((p3_lmtp *)d)->spool, data, len) || spool_fails(why);
}

static bool lmtp_finish(p3_delivery *d, p3_parcel *out, p3_problem *why)
{
    p3_lmtp *m = (p3_lmtp *)d;
    if (!p3_spool_finish(m->spool))
        return spool_fails(why);
    out->name = m->name;
    out->octets = m->spool->last.length;
    out->sender = m->sender;
    m->sender = NULL;
    m->name = NULL;
    return true;
}

static void discard_spool(p3_lmtp *m)
{
    p3_spool_free(m->spool);
    m->spool = NULL;
}

static void lmtp_abandon(p3_delivery *d)
{
    p3_lmtp *m = (p3_lmtp *)d;
    if (m->name != NULL && m->spool != NULL && !p3_spool_abandon(m->spool))
        m->spool->length = UINT64_MAX; /* deliver() refuses it */
    m->name = NULL;
    free(m->sender);
    m->sender = NULL;
}

/* All that is finished is in the spool of the batch being filled, and nothing else. */
static void lmtp_discard(p3_delivery *d, const p3_parcel *parcels, size_t count)
{
    (void)parcels;
    (void)count;
    lmtp_abandon(d);
    discard_spool((p3_lmtp *)d);
}

static void lmtp_seal(p3_delivery *d, p3_batch *batch)
{
    p3_lmtp *m = (p3_lmtp *)d;
    batch->spool = m->spool;
    m->spool = NULL;
}

/* ---- delivering ---- */

/* Sends a message over the connection there is, or a new one. A connection that turns out to be
 * gone before the message was sent is made again, once. */
static p3_lmtp_outcome send_mail(p3_lmtp *m, const p3_spool_mail *mail, const p3_spool_mail *next,
                                 bool *sent, p3_problem *why)
{
    *sent = false;
    for (int attempt = 0;; attempt++) {
        bool is_new = !p3_lmtp_is_usable(m->session);
        if (is_new) {
            p3_lmtp_end(m->session);
            m->session = m->is_smtp ? p3_smtp_connect(&m->url, m->envelope->smtp, why)
                                    : p3_lmtp_connect(&m->address, why);
        }
        if (m->session == NULL)
            return P3_LMTP_LOST;
        p3_lmtp_outcome is = p3_lmtp_send(m->session, mail, next, sent, why);
        if (is != P3_LMTP_LOST || *sent || is_new || attempt > 0)
            return is;
    }
}

/* What became of a message. Returns whether the connection is gone, and cannot be had again. */
static bool note(const p3_lmtp *m, p3_parcel *p, const p3_spool_mail *mail, p3_lmtp_outcome is,
                 bool sent, const p3_problem *why)
{
    const char *doing = m->is_smtp ? "delivering by SMTP: " : "delivering by LMTP: ";
    char lost[100];
    p->delivered = is == P3_LMTP_OK;
    if (is == P3_LMTP_PERMANENT) {
        p3_parcel_refuse(p, m->envelope->refused, mail, doing,
                         m->is_smtp ? "the SMTP server" : "the LMTP server", why);
    } else if (is == P3_LMTP_TEMPORARY) {
        p3_parcel_fail(p, EX_TEMPFAIL, doing, why);
    } else if (is == P3_LMTP_LOST && sent) {
        snprintf(lost, sizeof lost, "%sit was sent, and may have arrived; it comes again: ", doing);
        p3_parcel_fail(p, EX_TEMPFAIL, lost, why);
    }
    return is == P3_LMTP_LOST && !sent;
}

static void deliver_batch(p3_batch *b)
{
    p3_lmtp *m = (p3_lmtp *)b->to;
    const p3_spool *s = b->spool;
    unsigned setbacks = 0;
    if (s == NULL || s->length == UINT64_MAX || s->count != b->count) {
        p3_problem_set(&b->problem, EX_IOERR, "keeping messages for the server");
        return;
    }
    for (size_t i = 0; i < b->count; i++) {
        p3_parcel *p = &b->parcels[i];
        p3_problem why = {0};
        bool sent;
        const p3_spool_mail *next = i + 1 < b->count ? &s->mails[i + 1] : NULL;
        p3_lmtp_outcome is = send_mail(m, &s->mails[i], next, &sent, &why);
        bool gone = note(m, p, &s->mails[i], is, sent, &why);
        setbacks = p->delivered ? 0 : setbacks + 1;
        if (gone || setbacks == P3_SETBACKS_MOST) {
            bool barred = m->is_smtp && m->session == NULL; /* by its certificate, or the login */
            p3_problem_set(&b->stopped, barred ? why.exit : EX_TEMPFAIL,
                           "delivering by %s: %.600s%s", m->is_smtp ? "SMTP" : "LMTP", why.text,
                           gone ? "" : "; so it was with several: the others wait for another run");
            return;
        }
    }
}

static void lmtp_deliver(p3_batch **batches, size_t count)
{
    for (size_t i = 0; i < count; i++)
        deliver_batch(batches[i]);
}

static void lmtp_recorded(p3_delivery *d, p3_batch *batch, bool kept)
{
    (void)d;
    (void)kept;
    if (batch != NULL)
        p3_spool_free(batch->spool);
}

/* Nobody knows: as said above, they come again. */
static bool lmtp_settle(p3_delivery *d, p3_left_over *at, size_t count, p3_problem *why)
{
    (void)d;
    (void)at;
    (void)count;
    (void)why;
    return true;
}

static void lmtp_close(p3_delivery *d)
{
    p3_lmtp *m = (p3_lmtp *)d;
    lmtp_abandon(d);
    discard_spool(m);
    p3_lmtp_end(m->session);
    free(m->where);
    free(m);
}

static const p3_delivery_class lmtp_class = {
    .slow = true,
    .begin = lmtp_begin,
    .write = lmtp_write,
    .finish = lmtp_finish,
    .abandon = lmtp_abandon,
    .discard = lmtp_discard,
    .seal = lmtp_seal,
    .deliver = lmtp_deliver,
    .recorded = lmtp_recorded,
    .settle = lmtp_settle,
    .close = lmtp_close,
};

/* The ports are those of submission (RFC 8314). */
bool p3_smtp_server_read(p3_server_url *out, const char *where)
{
    static const p3_server_scheme scheme = {"smtp", "587", "465"};
    return p3_server_url_read(out, where, &scheme) && where[out->rest] == '\0';
}

static p3_delivery *open_target(const char *where, const p3_envelope *envelope, bool is_smtp,
                                p3_problem *why)
{
    p3_lmtp *m = calloc(1, sizeof *m);
    if (m == NULL || (m->where = strdup(where)) == NULL) {
        free(m);
        p3_problem_set(why, EX_OSERR, "out of memory");
        return NULL;
    }
    m->base.class = &lmtp_class;
    m->envelope = envelope;
    m->is_smtp = is_smtp;
    if (is_smtp ? p3_smtp_server_read(&m->url, m->where) : p3_address_read(&m->address, m->where))
        return &m->base;
    p3_problem_set(why, EX_CONFIG, "opening %s: it is no address of an %s server", where,
                   is_smtp ? "SMTP" : "LMTP");
    lmtp_close(&m->base);
    return NULL;
}

p3_delivery *p3_lmtp_open(const char *where, const p3_envelope *envelope, p3_problem *why)
{
    return open_target(where, envelope, false, why);
}

p3_delivery *p3_smtp_open(const char *where, const p3_envelope *envelope, p3_problem *why)
{
    return open_target(where, envelope, true, why);
}

/* Delivers to an LMTP server (RFC 2033), or submits to an SMTP server (RFC 6409), which answers for
 * each message.
 *
 * The server cannot be asked later what it did with a message: after a crash, or if its answer was
 * lost, the message is sent again, with the name of its intent in a header field, so that a filter
 * there can recognize it. Permanently refused messages go to a Maildir, with a note; temporarily
 * refused ones stay on the POP3 server. Neither affects the others. */
#include "deliver/lmtp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "deliver/lmtp_session.h"
#include "deliver/parcel.h"
#include "deliver/spooled.h"

/* After this many temporary failures in a row the rest of the batch waits. */
#define P3_SETBACKS_MOST 10

typedef struct p3_lmtp {
    p3_spooled mail; /* must be first */
    bool is_smtp;
    p3_server_address address; /* of an LMTP server: points into `where` */
    p3_server_url url;         /* of an SMTP server */
    p3_recipient *to;          /* of the next message; with room for the maximum */
    size_t to_count;
    p3_lmtp_session *session;          /* only used by deliver(), and when closing */
    p3_lmtp_verdict *verdicts;         /* one for each recipient */
    unsigned told[P3_RECIPIENTS_MOST]; /* lines of the table that were reported as wrong */
    size_t told_count;
} p3_lmtp;

/* Finds the recipients of the next message. */
static void lmtp_address(p3_delivery *d, const char *header, size_t len, const char *left)
{
    p3_lmtp *m = (p3_lmtp *)d;
    const p3_recipients *map = m->mail.envelope != NULL ? m->mail.envelope->map : NULL;
    if (map == NULL)
        return;
    if (left != NULL && p3_recipients_find_one(map, left, header, len, m->to))
        m->to_count = 1;
    else
        m->to_count = p3_recipients_find(map, header, len, m->to);
}

static bool lmtp_begin(p3_delivery *d, const char *name, const char *sender, p3_problem *why)
{
    p3_lmtp *m = (p3_lmtp *)d;
    const p3_envelope *e = m->mail.envelope;
    if (e == NULL || e->recipient == NULL || (m->is_smtp && e->smtp == NULL))
        return p3_problem_set(why, EX_CONFIG, "delivering to %s: no recipient is given",
                              m->mail.where);
    m->mail.sender = strdup(e->sender != NULL ? e->sender : sender);
    if (m->mail.sender == NULL)
        return p3_problem_memory(why);
    return p3_spooled_begin(&m->mail, name, "", m->to, m->to_count, why);
}

/* ---- delivering ---- */

/* Connects, unless connected. False when that fails. */
static bool connect_if_needed(p3_lmtp *m, p3_problem *why)
{
    if (p3_lmtp_is_usable(m->session))
        return true;
    p3_lmtp_end(m->session);
    m->session = m->is_smtp ? p3_smtp_connect(&m->url, m->mail.envelope->smtp, why)
                            : p3_lmtp_connect(&m->address, &m->mail.envelope->lmtp, why);
    return m->session != NULL;
}

/* Sends a message over the connection, or a new one. If the connection turns out to be closed
 * before the message was sent, it is opened again, once. False when there is none, and the message
 * was not sent; otherwise there are verdicts. */
static bool send_mail(p3_lmtp *m, const p3_spool_mail *mail, const p3_spool_mail *next,
                      p3_problem *why)
{
    bool sent = false;
    for (int attempt = 0;; attempt++) {
        bool is_new = !p3_lmtp_is_usable(m->session);
        if (!connect_if_needed(m, why))
            return false;
        if (p3_lmtp_send(m->session, mail, next, m->verdicts, &sent, why) || sent)
            return true;
        if (is_new || attempt > 0)
            return false;
    }
}

/* How many recipients of a message got each verdict. */
typedef struct p3_verdict_count {
    size_t of[P3_LMTP_LOST + 1];
    const p3_lmtp_verdict *first; /* the first that refused; or NULL */
    const p3_lmtp_verdict *later; /* the first that refused temporarily; or NULL */
} p3_verdict_count;

static p3_verdict_count count_verdicts(const p3_lmtp *m, const p3_spool_mail *mail)
{
    p3_verdict_count t = {0};
    for (size_t i = 0; i < mail->to_count; i++) {
        const p3_lmtp_verdict *v = &m->verdicts[i];
        t.of[v->is]++;
        if (t.first == NULL && v->is != P3_LMTP_OK)
            t.first = v;
        if (t.later == NULL && (v->is == P3_LMTP_TEMPORARY || v->is == P3_LMTP_LOST))
            t.later = v;
    }
    return t;
}

static void fail_for_now(p3_parcel *p, const char *doing, const p3_lmtp_verdict *v)
{
    char lost[100];
    if (v->is == P3_LMTP_LOST)
        snprintf(lost, sizeof lost,
                 "%sit was sent and may have arrived; it is sent again: ", doing);
    p3_parcel_fail(p, EX_TEMPFAIL, v->is == P3_LMTP_LOST ? lost : doing, &v->why);
}

/* Some recipients have accepted it, and do not get it again: it is kept for each of the others, and
 * counts as delivered. */
static void keep_for_others(const p3_lmtp *m, p3_parcel *p, const p3_spool_mail *mail,
                            const char *doing, const p3_verdict_count *t)
{
    const p3_envelope *e = m->mail.envelope;
    const char *maildir = e->aside != NULL ? e->aside : e->refused;
    size_t others = mail->to_count - t->of[P3_LMTP_OK];
    p3_problem told;
    bool ok = true;
    if (maildir == NULL) {
        fail_for_now(p, doing, t->first);
        return;
    }
    for (size_t i = 0; ok && i < mail->to_count; i++) {
        const p3_lmtp_verdict *v = &m->verdicts[i];
        if (v->is != P3_LMTP_OK)
            ok = p3_parcel_keep_for(p, maildir, mail, mail->to[i].address, &v->why, &told);
    }
    p->delivered = ok;
    if (ok) {
        p3_problem_set(
            &told, EX_UNAVAILABLE,
            "%zu of %zu recipients did not get it: %.400s; for them it is kept in %.200s "
            "(pop3 retry delivers it again)",
            others, mail->to_count, t->first->why.text, maildir);
        p3_parcel_fail(p, EX_UNAVAILABLE, doing, &told);
    } else {
        p3_parcel_fail(p, told.exit,
                       "keeping a message for recipients that did not get it: ", &told);
    }
}

/* All recipients refuse it permanently. A recipient that was found in a header is noted. */
static void refuse_for_good(const p3_lmtp *m, p3_parcel *p, const p3_spool_mail *mail,
                            const char *doing, const p3_verdict_count *t)
{
    p3_problem why = t->first->why;
    if (mail->to_count > 1)
        p3_problem_set(&why, EX_UNAVAILABLE, "%.600s; the same for all %zu recipients",
                       t->first->why.text, mail->to_count);
    p3_parcel_refuse(p, m->mail.envelope->refused, mail, doing,
                     m->is_smtp ? "the SMTP server" : "the LMTP server", &why);
}

/* Records the result of a message. */
static void note_result(const p3_lmtp *m, p3_parcel *p, const p3_spool_mail *mail)
{
    const char *doing = m->is_smtp ? "delivering by SMTP: " : "delivering by LMTP: ";
    p3_verdict_count t = count_verdicts(m, mail);
    p->delivered = t.first == NULL;
    if (t.first == NULL)
        return;
    if (t.of[P3_LMTP_OK] > 0)
        keep_for_others(m, p, mail, doing, &t);
    else if (t.later != NULL)
        fail_for_now(p, doing, t.later);
    else
        refuse_for_good(m, p, mail, doing, &t);
}

/* Marks a line of the table as reported; returns whether it was before. */
static bool mark_told(p3_lmtp *m, unsigned line)
{
    for (size_t i = 0; i < m->told_count; i++) {
        if (m->told[i] == line)
            return true;
    }
    if (m->told_count == sizeof m->told / sizeof *m->told)
        return true;
    m->told[m->told_count++] = line;
    return false;
}

/* A recipient in the table is refused permanently before the server has seen a message: the line is
 * wrong, which is reported once. Its mail is kept, and the rest continues. */
static void note_wrong_lines(p3_lmtp *m, p3_batch *b, const p3_spool_mail *mail)
{
    const p3_recipients *map = m->mail.envelope->map;
    for (size_t i = 0; map != NULL && i < mail->to_count; i++) {
        const p3_lmtp_verdict *v = &m->verdicts[i];
        unsigned line = mail->to[i].line;
        char where[330] = "postmaster";
        p3_problem before = b->noted;
        if (v->is != P3_LMTP_PERMANENT || v->about != P3_LMTP_RECIPIENT || mark_told(m, line))
            continue;
        if (line > 0)
            snprintf(where, sizeof where, "%.300s, line %u", p3_recipients_table(map), line);
        if (before.exit != 0)
            p3_problem_set(&b->noted, EX_CONFIG, "%.400s; %s: %.200s", before.text, where,
                           v->why.text);
        else
            p3_problem_set(&b->noted, EX_CONFIG,
                           "correct this, and let pop3 retry deliver what was kept: %s: %.300s",
                           where, v->why.text);
    }
}

/* The target fails: the rest of the batch waits. */
static void stop(const p3_lmtp *m, p3_batch *b, const p3_problem *why, const char *more)
{
    bool is_secure = m->is_smtp || m->mail.envelope->lmtp.tls != P3_LMTP_PLAIN;
    bool is_barred = is_secure && m->session == NULL; /* by the certificate or the login */
    p3_problem_set(&b->stopped, is_barred ? why->exit : EX_TEMPFAIL, "delivering by %s: %.600s%s",
                   m->is_smtp ? "SMTP" : "LMTP", why->text, more);
}

/* The server refuses the sender or the recipient in the settings: that is so for every message. All
 * of them wait until the settings are corrected. */
static void stop_at_setting(const p3_lmtp *m, p3_batch *b, const p3_lmtp_verdict *v)
{
    p3_problem_set(
        &b->stopped, EX_CONFIG,
        "delivering by %s: %.500s; the remaining mail stays on the server: check that %s",
        m->is_smtp ? "SMTP" : "LMTP", v->why.text,
        v->about == P3_LMTP_RECIPIENT ? "this recipient has a mailbox there, or correct recipient"
                                      : "this user may send from that address, or correct sender");
}

/* A message is refused permanently because of its sender or recipient: asks the server about both
 * without it. False when they are the reason for any message. Recipients in headers are many: the
 * others continue. */
static bool recheck_refusal(p3_lmtp *m, const p3_spool_mail *mail, p3_batch *b)
{
    const p3_envelope *e = m->mail.envelope;
    p3_lmtp_verdict *v = &m->verdicts[0];
    p3_lmtp_verdict without = {.is = P3_LMTP_TEMPORARY};
    if (e->map != NULL || v->is != P3_LMTP_PERMANENT || v->about == P3_LMTP_MESSAGE)
        return true;
    bool heard = connect_if_needed(m, &without.why) &&
                 p3_lmtp_try(m->session, e->sender != NULL ? e->sender : "", mail->to, &without,
                             &without.why);
    if (!heard)
        without.is = P3_LMTP_TEMPORARY;
    bool is_set = without.about == P3_LMTP_RECIPIENT || e->sender != NULL;
    if (without.is == P3_LMTP_PERMANENT && is_set) {
        stop_at_setting(m, b, &without);
        return false;
    }
    if (without.is == P3_LMTP_PERMANENT) { /* it refuses the null sender, which proves nothing */
        p3_problem said = v->why;
        v->is = P3_LMTP_TEMPORARY;
        p3_problem_set(&v->why, EX_TEMPFAIL,
                       "%.500s; all messages may be affected: set sender to an address that the "
                       "server accepts from you",
                       said.text);
    } else if (without.is == P3_LMTP_TEMPORARY) {
        *v = without;
    }
    return true;
}

static void lmtp_deliver(p3_batch *b)
{
    p3_lmtp *m = (p3_lmtp *)b->to;
    const p3_spool *s = p3_spooled_batch(b);
    unsigned setbacks = 0;
    for (size_t i = 0; s != NULL && i < b->count; i++) {
        p3_parcel *p = &b->parcels[i];
        p3_problem why = {0};
        /* A message that has been announced must be sent: none is after the last setback. */
        bool goes_on = i + 1 < b->count && setbacks + 1 < P3_SETBACKS_MOST;
        const p3_spool_mail *next = goes_on ? &s->mails[i + 1] : NULL;
        if (!send_mail(m, &s->mails[i], next, &why)) {
            stop(m, b, &why, "");
            return;
        }
        if (!recheck_refusal(m, &s->mails[i], b))
            return;
        note_result(m, p, &s->mails[i]);
        note_wrong_lines(m, b, &s->mails[i]);
        setbacks = p->delivered ? 0 : setbacks + 1;
        if (setbacks == P3_SETBACKS_MOST) {
            stop(m, b, p->problem != NULL ? &count_verdicts(m, &s->mails[i]).first->why : &why,
                 "; several messages failed: the others wait for another run");
            return;
        }
    }
}

static void lmtp_close(p3_delivery *d)
{
    p3_lmtp *m = (p3_lmtp *)d;
    p3_spooled_clear(&m->mail);
    p3_lmtp_end(m->session);
    free(m->to);
    free(m->verdicts);
    free(m);
}

static const p3_delivery_class lmtp_class = {
    .slow = true,
    .prints = true,
    .address = lmtp_address,
    .begin = lmtp_begin,
    .write = p3_spooled_write,
    .finish = p3_spooled_finish,
    .abandon = p3_spooled_abandon,
    .discard = p3_spooled_discard,
    .seal = p3_spooled_seal,
    .deliver = lmtp_deliver,
    .recorded = p3_spooled_recorded,
    .close = lmtp_close,
};

/* The ports are those of submission (RFC 8314). */
bool p3_smtp_server_read(p3_server_url *out, const char *where)
{
    static const p3_server_scheme scheme = {"smtp", "587", "465"};
    return p3_server_url_read(out, where, &scheme) && where[out->rest] == '\0';
}

bool p3_smtp_is_same(const char *where, const char *other)
{
    p3_server_url a;
    p3_server_url b;
    return p3_smtp_server_read(&a, where) && p3_smtp_server_read(&b, other) &&
           p3_server_url_is_equal(&a, &b);
}

/* Makes room for the recipients of a message; without a table it has only the account's. */
static bool make_room(p3_lmtp *m)
{
    const p3_envelope *e = m->mail.envelope;
    size_t most = e != NULL && e->map != NULL ? P3_RECIPIENTS_MOST : 1;
    m->to = calloc(most, sizeof *m->to);
    m->verdicts = calloc(most, sizeof *m->verdicts);
    if (m->to == NULL || m->verdicts == NULL)
        return false;
    if (e != NULL && e->recipient != NULL)
        m->to[0] = p3_recipient_of(e->recipient);
    m->to_count = 1;
    return true;
}

static p3_delivery *open_target(const char *where, const p3_envelope *envelope, bool is_smtp,
                                p3_problem *why)
{
    p3_lmtp *m = calloc(1, sizeof *m);
    if (m == NULL) {
        p3_problem_memory(why);
        return NULL;
    }
    m->mail.server = "the server";
    m->is_smtp = is_smtp;
    if (!p3_spooled_init(&m->mail, &lmtp_class, where, envelope) || !make_room(m))
        p3_problem_memory(why);
    else if (is_smtp ? p3_smtp_server_read(&m->url, m->mail.where)
                     : p3_server_address_read(&m->address, m->mail.where))
        return &m->mail.base;
    else
        p3_problem_set(why, EX_CONFIG, "opening %s: it is no address of an %s server", where,
                       is_smtp ? "SMTP" : "LMTP");
    lmtp_close(&m->mail.base);
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

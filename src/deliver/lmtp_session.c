/* Messages to an LMTP or SMTP server. */
#include "deliver/lmtp_session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "support/crash_point.h"

struct p3_lmtp_session {
    p3_dialogue talk;
    bool is_smtp;                  /* one answer for each message */
    const p3_spool_mail *envelope; /* announced and not answered; or NULL */
};

static p3_lmtp_session *new_session(bool is_smtp, p3_problem *why)
{
    p3_lmtp_session *s = malloc(sizeof *s);
    if (s == NULL) {
        p3_problem_memory(why);
        return NULL;
    }
    s->is_smtp = is_smtp;
    s->envelope = NULL;
    return s;
}

p3_lmtp_session *p3_lmtp_connect(const p3_server_address *to, const p3_lmtp_options *options,
                                 p3_problem *why)
{
    p3_lmtp_session *s = new_session(false, why);
    if (s == NULL || p3_dialogue_begin_lmtp(&s->talk, to, options, why))
        return s;
    free(s);
    return NULL;
}

p3_lmtp_session *p3_smtp_connect(const p3_server_url *to, const p3_server_options *options,
                                 p3_problem *why)
{
    p3_lmtp_session *s = new_session(true, why);
    if (s == NULL || p3_dialogue_begin_smtp(&s->talk, to, options, why))
        return s;
    free(s);
    return NULL;
}

bool p3_lmtp_is_usable(const p3_lmtp_session *s)
{
    return s != NULL && s->talk.wire != NULL;
}

void p3_lmtp_end(p3_lmtp_session *s)
{
    if (s == NULL)
        return;
    p3_dialogue_quit(&s->talk);
    free(s);
}

/* Whether a recipient may be offered to the server. */
static bool may_offer(const p3_lmtp_session *s, const p3_recipient *to)
{
    return !to->has_been && (!to->is_utf8 || (s->talk.announced & P3_SMTPUTF8) != 0);
}

/* The number of recipients that may be offered. */
static size_t count_offered(const p3_lmtp_session *s, const p3_spool_mail *mail)
{
    size_t count = 0;
    for (size_t i = 0; i < mail->to_count; i++)
        count += may_offer(s, &mail->to[i]);
    return count;
}

/* Whether the server accepts a message of this size. */
static bool fits(const p3_lmtp_session *s, const p3_spool_mail *mail)
{
    return s->talk.size_limit == 0 || mail->octets <= s->talk.size_limit;
}

static void put_sender(p3_lmtp_session *s, const p3_spool_mail *mail)
{
    char line[700];
    char size[40] = "";
    if ((s->talk.announced & P3_SIZE) != 0 && mail->octets > 0)
        snprintf(size, sizeof size, " SIZE=%llu", (unsigned long long)mail->octets);
    snprintf(line, sizeof line, "MAIL FROM:<%.500s>%s%s%s\r\n", mail->sender, size,
             mail->is_8bit && (s->talk.announced & P3_8BITMIME) != 0 ? " BODY=8BITMIME" : "",
             mail->is_utf8 && (s->talk.announced & P3_SMTPUTF8) != 0 ? " SMTPUTF8" : "");
    p3_dialogue_put(&s->talk, line);
}

static void put_recipient(p3_lmtp_session *s, const p3_recipient *to)
{
    char line[600];
    snprintf(line, sizeof line, "RCPT TO:<%.500s>\r\n", to->address);
    p3_dialogue_put(&s->talk, line);
}

/* Announces a message, with all commands at once if the server supports it (RFC 2920; required by
 * RFC 2033 §4.2). */
static void put_envelope(p3_lmtp_session *s, const p3_spool_mail *mail)
{
    put_sender(s, mail);
    for (size_t i = 0; i < mail->to_count; i++) {
        if (may_offer(s, &mail->to[i]))
            put_recipient(s, &mail->to[i]);
    }
    p3_dialogue_put(&s->talk, "DATA\r\n");
    s->envelope = mail;
}

/* Ends the transaction of a refused message, so that the next one can begin. */
static void reset(p3_lmtp_session *s)
{
    p3_reply r;
    p3_dialogue_put(&s->talk, "RSET\r\n");
    if (!p3_dialogue_ask(&s->talk, &r) || r.code != 250)
        (void)p3_dialogue_end(&s->talk);
}

/* A message that is being announced: remaining recipients have P3_LMTP_OK. */
typedef struct p3_announcement {
    const p3_spool_mail *mail;
    p3_lmtp_verdict *verdicts;
    bool together; /* all commands have been sent */
    p3_problem *why;
} p3_announcement;

static size_t count_left(const p3_announcement *a)
{
    size_t left = 0;
    for (size_t i = 0; i < a->mail->to_count; i++)
        left += a->verdicts[i].is == P3_LMTP_OK;
    return left;
}

/* All remaining recipients get the same verdict. */
static void judge_all(const p3_announcement *a, p3_lmtp_outcome is, p3_lmtp_about about,
                      const p3_problem *why)
{
    for (size_t i = 0; i < a->mail->to_count; i++) {
        if (a->verdicts[i].is == P3_LMTP_OK)
            a->verdicts[i] = (p3_lmtp_verdict){.is = is, .about = about, .why = *why};
    }
}

/* Initially only recipients that are not offered are refused. */
static void begin_verdicts(const p3_lmtp_session *s, const p3_announcement *a)
{
    for (size_t i = 0; i < a->mail->to_count; i++) {
        const p3_recipient *to = &a->mail->to[i];
        p3_lmtp_verdict *v = &a->verdicts[i];
        *v = (p3_lmtp_verdict){.is = may_offer(s, to) ? P3_LMTP_OK : P3_LMTP_PERMANENT};
        if (to->has_been)
            p3_problem_set(&v->why, EX_UNAVAILABLE,
                           "a Delivered-To: line says that it has been delivered to %.320s before: "
                           "it is in a mail loop",
                           to->address);
        if (to->has_been || v->is == P3_LMTP_OK)
            continue;
        v->about = P3_LMTP_RECIPIENT;
        p3_problem_set(&v->why, EX_UNAVAILABLE,
                       "the server accepts only ASCII addresses (it has no SMTPUTF8): %.320s",
                       to->address);
    }
}

/* Reads the answer to one command. False when the connection is lost. */
static bool read_answer(p3_lmtp_session *s, const p3_announcement *a, p3_reply *r)
{
    if (!p3_dialogue_ask(&s->talk, r))
        return p3_dialogue_lose(&s->talk, "announcing the message", a->why);
    if (r->code != 421) /* RFC 5321 §3.8: it closes the connection, whatever the command */
        return true;
    (void)p3_dialogue_end(&s->talk);
    (void)p3_reply_refuse("the connection", r, a->why);
    return false;
}

static bool is_out_of_step(p3_lmtp_session *s, const p3_announcement *a)
{
    errno = EPROTO;
    return p3_dialogue_lose(&s->talk, "announcing the message", a->why);
}

static bool hear_sender(p3_lmtp_session *s, const p3_announcement *a)
{
    p3_reply r;
    p3_problem why;
    if (!a->together)
        put_sender(s, a->mail);
    if (!read_answer(s, a, &r))
        return false;
    if (p3_reply_outcome(&r) != P3_LMTP_OK)
        judge_all(a, p3_reply_refuse("the sender", &r, &why), P3_LMTP_SENDER, &why);
    else if (!p3_reply_is_final(&r))
        return is_out_of_step(s, a);
    return true;
}

/* `is_heard`: the sender was accepted, so that the answer counts. */
static bool hear_recipient(p3_lmtp_session *s, const p3_announcement *a, size_t i, bool is_heard)
{
    p3_reply r;
    char what[400];
    p3_lmtp_verdict *v = &a->verdicts[i];
    if (!a->together)
        put_recipient(s, &a->mail->to[i]);
    if (!read_answer(s, a, &r))
        return false;
    snprintf(what, sizeof what, "the recipient %.320s", a->mail->to[i].address);
    if (is_heard && p3_reply_outcome(&r) != P3_LMTP_OK) {
        v->is = p3_reply_refuse(what, &r, &v->why);
        v->about = P3_LMTP_RECIPIENT;
    } else if (is_heard && !p3_reply_is_final(&r)) {
        return is_out_of_step(s, a);
    }
    return true;
}

static bool hear_data(p3_lmtp_session *s, const p3_announcement *a)
{
    p3_reply r;
    p3_problem why;
    bool any = count_left(a) > 0;
    if (!a->together)
        p3_dialogue_put(&s->talk, "DATA\r\n");
    if (!read_answer(s, a, &r))
        return false;
    bool goes_on = r.code == 354;
    if (!any && goes_on)
        (void)p3_dialogue_end(&s->talk); /* it asks for a message without recipients */
    else if (any && p3_reply_outcome(&r) != P3_LMTP_OK)
        judge_all(a, p3_reply_refuse("the message", &r, &why), P3_LMTP_MESSAGE, &why);
    else if (any && !goes_on)
        return is_out_of_step(s, a);
    return true;
}

/* Reads the answers to the envelope of a message, which is announced if it has not been. All
 * replies are read, because they come in order. False when the connection is lost before that. */
static bool hear_envelope(p3_lmtp_session *s, const p3_announcement *a)
{
    s->envelope = NULL;
    if (!hear_sender(s, a))
        return false;
    bool is_heard = count_left(a) > 0;
    for (size_t i = 0; i < a->mail->to_count && (is_heard || a->together); i++) {
        if (may_offer(s, &a->mail->to[i]) && !hear_recipient(s, a, i, is_heard))
            return false;
    }
    if ((count_left(a) > 0 || a->together) && !hear_data(s, a))
        return false;
    if (count_left(a) == 0 && s->talk.wire != NULL)
        reset(s);
    return true;
}

bool p3_lmtp_try(p3_lmtp_session *s, const char *sender, p3_recipient *to, p3_lmtp_verdict *verdict,
                 p3_problem *why)
{
    const p3_spool_mail mail = {.sender = sender, .to = to, .to_count = 1, .is_utf8 = to->is_utf8};
    const p3_announcement a = {.mail = &mail, .verdicts = verdict, .why = why};
    begin_verdicts(s, &a);
    if (count_left(&a) == 0)
        return true;
    if (!hear_sender(s, &a) || (count_left(&a) > 0 && !hear_recipient(s, &a, 0, true)))
        return false;
    reset(s);
    return true;
}

/* Reads the answer to a message for one recipient. `early`: the server answered before the end of
 * the message. False when none arrives. */
static bool hear_verdict(p3_lmtp_session *s, const p3_announcement *a, size_t i, bool early)
{
    p3_reply r;
    char what[400] = "the message";
    p3_lmtp_verdict *v = &a->verdicts[i];
    bool comes = s->talk.wire != NULL && p3_dialogue_hear(&s->talk, &r, P3_MESSAGE_MS, false);
    /* 221 closes the connection, and accepts nothing (RFC 5321 §4.2.3). */
    if (comes && (!p3_reply_is_final(&r) || r.code == 221 ||
                  (early && p3_reply_outcome(&r) == P3_LMTP_OK))) {
        comes = false;
        errno = EPROTO;
    }
    if (!comes) /* or it has closed the connection with an earlier answer, which is in `why` */
        return s->talk.wire != NULL &&
               p3_dialogue_lose(&s->talk, "waiting for the server's answer to the message", a->why);
    p3_crash_point("lmtp-answered");
    if (!s->is_smtp)
        snprintf(what, sizeof what, "the message for %.320s", a->mail->to[i].address);
    if (p3_reply_outcome(&r) != P3_LMTP_OK)
        v->is = p3_reply_refuse(what, &r, &v->why);
    if (r.code == 421) {
        *a->why = v->why;
        (void)p3_dialogue_end(&s->talk);
    }
    return true;
}

/* LMTP has an answer for each accepted recipient, in order (RFC 2033 §4.2); SMTP has one. False
 * when some are missing: the remaining recipients are P3_LMTP_LOST. */
static bool hear_verdicts(p3_lmtp_session *s, const p3_announcement *a, bool early)
{
    bool ok = true;
    size_t first = 0;
    while (a->verdicts[first].is != P3_LMTP_OK)
        first++;
    for (size_t i = first; i < a->mail->to_count; i++) {
        p3_lmtp_verdict *v = &a->verdicts[i];
        if (v->is != P3_LMTP_OK)
            continue;
        if (s->is_smtp && i > first) {
            *v = a->verdicts[first];
            continue;
        }
        if (ok)
            ok = hear_verdict(s, a, i, early);
        if (!ok)
            *v = (p3_lmtp_verdict){.is = P3_LMTP_LOST, .why = *a->why};
    }
    return ok;
}

/* Refuses a message that is too large for the server. */
static void refuse_size(const p3_lmtp_session *s, const p3_announcement *a)
{
    p3_problem why;
    p3_problem_set(&why, EX_UNAVAILABLE,
                   "the message has %llu octets, and the server accepts %llu at most",
                   (unsigned long long)a->mail->octets, (unsigned long long)s->talk.size_limit);
    judge_all(a, P3_LMTP_PERMANENT, P3_LMTP_MESSAGE, &why);
}

bool p3_lmtp_send(p3_lmtp_session *s, const p3_spool_mail *mail, const p3_spool_mail *next,
                  p3_lmtp_verdict *verdicts, bool *sent, p3_problem *why)
{
    bool pipelines = (s->talk.announced & P3_PIPELINING) != 0;
    p3_announcement a = {.mail = mail, .verdicts = verdicts, .together = pipelines, .why = why};
    *sent = false;
    begin_verdicts(s, &a);
    if (s->envelope != mail && !fits(s, mail))
        refuse_size(s, &a);
    if (count_left(&a) == 0)
        return true;
    if (pipelines && s->envelope != mail)
        put_envelope(s, mail);
    if (!hear_envelope(s, &a))
        return false;
    if (count_left(&a) == 0)
        return true;
    p3_crash_point("lmtp-announced");
    if (!p3_dialogue_send_text(&s->talk, mail, why))
        return false;
    if (pipelines && next != NULL && fits(s, next) && count_offered(s, next) > 0)
        put_envelope(s, next);
    /* The server may refuse a message before its end, but not accept it. */
    bool early = p3_dialogue_has_spoken(&s->talk);
    *sent = true; /* from now on it may have arrived */
    if (!p3_dialogue_flush(&s->talk)) {
        (void)p3_dialogue_lose(&s->talk, "sending the message", why);
        judge_all(&a, P3_LMTP_LOST, P3_LMTP_MESSAGE, why);
        return false;
    }
    p3_crash_point("lmtp-sent");
    return hear_verdicts(s, &a, early);
}

/* A session's second half: the window of RETRs, and each message that comes. */
#include "collect/session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

#include "collect/failure_text.h"

/* So many messages in a row may be refused. */
#define P3_REFUSALS_MOST 100

/* ---- one message ---- */

/* The lines that the account wants added to its messages (RFC 5322 §3.6.7, RFC 5321 §4.4). */
static bool add_lines(p3_session *s)
{
    const p3_account *a = s->account;
    char text[1024];
    char date[64];
    struct tm t;
    time_t now = time(NULL);
    if (a->delivered_to != NULL) {
        snprintf(text, sizeof text, "Delivered-To: %s\n", a->delivered_to);
        if (!p3_message_add(&s->message, text))
            return false;
    }
    if (!a->received || localtime_r(&now, &t) == NULL)
        return true;
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S %z", &t);
    snprintf(text, sizeof text, "Received: from %s by %s\n with POP3 (pop3 %s); %s\n",
             a->connection.host != NULL ? a->connection.host : "localhost", s->run->names.host,
             pop3_version(), date);
    return p3_message_add(&s->message, text);
}

static bool begin_message(p3_session *s)
{
    s->in_message = true;
    s->octets_come = 0;
    p3_message_begin(&s->message, p3_name_list_at(&s->mail_names, s->taking.finished));
    return add_lines(s);
}

/* A message cannot be delivered. Whatever ails the target ends the session; that a file may not
 * grow so large is this message's own trouble. */
static pop3_sink_result cannot_deliver(p3_session *s)
{
    s->message_failed = true;
    if (s->message.why.error == EFBIG)
        return POP3_SINK_DISCARD;
    p3_session_fail(s, &s->message.why);
    return POP3_SINK_ABORT;
}

/* A message does not end. The others come in another session, and it last. */
static pop3_sink_result give_up(p3_session *s, uint64_t bound)
{
    p3_mail *mail = &s->box.at[s->taking.mails[s->taking.finished]];
    p3_problem why;
    p3_problem_set(
        &why, EX_PROTOCOL,
        "it was given up at %" PRIu64 " octets (--message-limit); it stays on the server", bound);
    s->rows.at[mail->row].tries += P3_TRIES_MOST - 1;
    p3_session_set_back(s, mail, &why);
    s->retry = true;
    if (s->next.care == P3_CARE_USUAL)
        s->next.care = P3_CARE_TROUBLE;
    p3_session_fail(s, &why);
    return POP3_SINK_ABORT;
}

static pop3_sink_result take_octets(p3_session *s, const char *data, size_t len)
{
    if (s->stage != P3_STAGE_TAKING)
        return POP3_SINK_ABORT;
    if (s->message_failed)
        return POP3_SINK_DISCARD;
    if (!s->in_message && !begin_message(s))
        return cannot_deliver(s);
    uint64_t bound = s->account->message_limit; /* sizes that the server gives are but hints */
    s->octets_come += len;
    if (bound > 0 && s->octets_come > bound)
        return give_up(s, bound);
    return p3_message_take(&s->message, data, len) ? POP3_SINK_CONTINUE : cannot_deliver(s);
}

static void wrap_up(p3_session *s, p3_mail *mail, const pop3_result *result)
{
    p3_parcel parcel = {.entry = (size_t)(mail - s->box.at),
                        .fd = -1,
                        .again = p3_name_list_is_kept(&s->mail_names, s->taking.finished)};
    if (s->message_failed || (!s->in_message && !begin_message(s)) ||
        !p3_message_finish(&s->message, &parcel)) {
        if (!s->message_failed)
            (void)cannot_deliver(s);
        return;
    }
    const p3_header *h = &s->message.header;
    p3_row *row = &s->rows.at[mail->row];
    p3_session_note_size(s, mail, result);
    row->fingerprint = p3_fingerprint_of(h->data, h->len);
    p3_session_compare_top(s, mail, &row->fingerprint);
    row->common = !p3_header_is_distinctive(h->data, h->len);
    row->body = p3_message_body(&s->message);
    row->octets = mail->octets != P3_SIZE_UNKNOWN ? mail->octets
                  : mail->came == P3_CAME_SIZED   ? result->octets
                                                  : 0;
    mail->octets = result->octets;
    s->refusals = 0;
    s->tally.retrieved++;
    s->tally.octets += result->octets;
    p3_session_tell(s, P3_NOTICE_MESSAGE, mail, NULL, NULL);
    p3_session_add_parcel(s, &parcel);
    p3_session_hand_in_full(s);
}

void p3_session_set_back(p3_session *s, p3_mail *mail, const p3_problem *why)
{
    s->tally.failed++;
    p3_session_tell(s, P3_NOTICE_FAILED, mail, NULL, why);
    p3_change *change = calloc(1, sizeof *change);
    if (change == NULL) {
        p3_session_fail_memory(s);
        return;
    }
    s->rows.at[mail->row].tries++;
    change->row = s->rows.at[mail->row];
    (void)p3_session_record(s, change, 1, NULL, NULL);
}

/* The server refuses a message. One that refuses every message in a row is not asked for all. */
static void refused(p3_session *s, p3_mail *mail)
{
    p3_problem why;
    if (++s->refusals > P3_REFUSALS_MOST) {
        s->tally.failed += !mail->only_listed; /* it had been asked for before that was known */
        return;
    }
    bool disbelieved = p3_session_disbelieve(s, mail);
    p3_describe_refused_message(s->client, &why);
    if (!disbelieved)
        p3_session_set_back(s, mail, &why);
    if (s->refusals < P3_REFUSALS_MOST)
        return;
    if (!disbelieved)
        p3_problem_set(&s->problem, EX_TEMPFAIL,
                       "the server refused %u messages in a row; no more are asked for in this run",
                       s->refusals);
    s->taking.count = s->taking.submitted;
}

static void retrieved(p3_session *s, p3_mail *mail, const pop3_result *result)
{
    p3_problem why;
    bool at_work = s->stage == P3_STAGE_TAKING;
    if (at_work && result->status == POP3_OK)
        wrap_up(s, mail, result);
    if (at_work && s->message_failed && s->message.why.error == EFBIG) {
        p3_session_set_back(s, mail, &s->message.why);
    } else if (at_work && result->status == POP3_ERR_REFUSED) {
        refused(s, mail);
    } else if (at_work && result->status != POP3_OK) {
        p3_problem_set(&why, EX_TEMPFAIL, "%s%s",
                       result->status == POP3_ERR_PROTOCOL ? "it is not certain that it is whole: "
                                                           : "",
                       pop3_client_error(s->client)->message);
        if (s->in_message)
            p3_session_set_back(s, mail, &why);
        p3_session_lost(s, result->status);
    }
    if (s->in_message)
        p3_message_abandon(&s->message); /* what is finished is not touched */
    s->in_message = s->message_failed = false;
    if (*s->run->options->stop)
        p3_session_stop(s);
}

/* ---- the stage ---- */

/* Whether bodies may be needed to tell messages apart later: before they are deleted, or where
 * unique-ids do not. */
static bool wants_bodies(const p3_session *s)
{
    return s->account->removal != P3_REMOVE_NEVER || s->box.has_nameless || s->box.numbered;
}

static bool open_target(p3_session *s)
{
    p3_problem why;
    s->delivery = p3_target_open(&s->account->target, s->owner, &why);
    if (s->delivery == NULL)
        p3_session_fail(s, &why);
    else if (!p3_message_init(&s->message, s->delivery, s->account->line_ends))
        p3_session_fail_memory(s);
    else if (p3_session_want_bodies(s))
        s->message.body = s->body;
    s->message.every_body = wants_bodies(s);
    return s->stage != P3_STAGE_OVER;
}

/* How many messages that are known may be deleted. A frugal session that has looked at some leaves
 * it at what is recorded of that. */
static size_t deletions_now(const p3_session *s)
{
    bool another = s->approach.frugal && (!s->only_deletes || s->plan.looks > 0);
    return another ? 0 : p3_session_quota(s);
}

void p3_session_begin_taking(p3_session *s)
{
    s->taking.sink = take_octets;
    s->taking.done = retrieved;
    if (s->taking.count > 0 && !open_target(s))
        return;
    s->stage = P3_STAGE_TAKING;
    if (!p3_session_record_intents(s))
        return;
    size_t room = deletions_now(s);
    for (size_t i = 0; i < s->box.count && s->stage == P3_STAGE_TAKING; i++) {
        p3_mail *mail = &s->box.at[i];
        if (!p3_session_is_due(s, mail))
            continue;
        s->more = s->more || room == 0;
        if (room > 0) {
            room--;
            p3_session_drop(s, mail);
        }
    }
    p3_session_advance(s);
}

void p3_session_take(p3_session *s)
{
    if (s->stage == P3_STAGE_OVER) {
        if (s->delivery != NULL)
            p3_session_hand_in(s); /* what has come is not thrown away */
        if (s->commits == 0)
            p3_session_doubt(s);
        return;
    }
    if (!s->taking_begun && s->commits == 0) {
        s->taking_begun = true; /* now that the first intents are on the disk */
        (void)p3_session_record_later_intents(s);
    }
    if (!s->taking_begun)
        return;
    p3_window_fill(&s->taking);
    if (!p3_window_done(&s->taking))
        return;
    p3_session_hand_in(s);
    /* QUIT may delete what was retrieved, even without DELE (RFC 1939 §8, RFC 2449 §6.7): it waits
     * until all of it is on the disk. */
    if (s->batches == 0 && p3_window_done(&s->dropping) && s->stage == P3_STAGE_TAKING)
        p3_session_finish(s);
}

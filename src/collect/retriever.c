/* Retrieves messages. */
#include "collect/retriever.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>

#include "collect/choice.h"
#include "collect/failure_text.h"
#include "collect/reply_order.h"
#include "deliver/list_delivery.h"
#include "support/wording.h"

/* The number of messages in a row that may be refused. */
#define P3_REFUSALS_MOST 100

/* ---- one message ---- */

/* Adds the lines that the account's settings ask for (RFC 5322 §3.6.7, RFC 5321 §4.4). */
static bool add_lines(p3_retriever *r)
{
    const p3_account *a = r->drop->account;
    char text[1024];
    char date[64];
    struct tm t;
    time_t now = time(NULL);
    if (a->delivered_to != NULL) {
        snprintf(text, sizeof text, "Delivered-To: %s\n", a->delivered_to);
        if (!p3_message_add(&r->message, text))
            return false;
    }
    if (!a->received || localtime_r(&now, &t) == NULL)
        return true;
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S %z", &t);
    snprintf(text, sizeof text, "Received: from %s by %s\n with POP3 (pop3 %s); %s\n",
             a->connection.host != NULL ? a->connection.host : "localhost", r->host, pop3_version(),
             date);
    return p3_message_add(&r->message, text);
}

/* Finds a target for the current message. If some targets have it and the others cannot be reached,
 * it is left, and so are all that follow. */
static bool find_target(p3_retriever *r)
{
    const p3_maildrop *d = r->drop;
    const p3_row *row = p3_maildrop_row(d, &d->box.at[r->window.mails[r->window.finished]]);
    bool kept = p3_name_list_is_kept(r->names, r->window.finished);
    if (r->delivery->class->spare == NULL ||
        r->delivery->class->spare(r->delivery, row->members, kept ? d->unasked : 0))
        return true;
    r->in_hand = P3_IN_HAND_LEFT;
    if (row->members != 0)
        r->window.count = r->window.submitted;
    return false;
}

static bool begin_message(p3_retriever *r)
{
    r->in_hand = P3_IN_HAND_WRITTEN;
    r->octets = 0;
    p3_message_begin(&r->message, p3_name_list_at(r->names, r->window.finished));
    return add_lines(r);
}

/* A message cannot be delivered. A problem of the target ends the visit; a limit on the size of
 * files is a problem of this message only. */
static pop3_sink_result cannot_deliver(p3_retriever *r)
{
    r->in_hand = P3_IN_HAND_FAILED;
    if (r->message.why.error == EFBIG)
        return POP3_SINK_DISCARD;
    p3_maildrop_failed(r->drop, &r->message.why);
    return POP3_SINK_ABORT;
}

/* A message exceeds the limit. The others are retrieved in another visit, and it is retrieved last.
 */
static pop3_sink_result abandon_endless_message(p3_retriever *r, uint64_t bound)
{
    p3_mail *mail = &r->drop->box.at[r->window.mails[r->window.finished]];
    p3_problem why;
    p3_problem_set(&why, EX_PROTOCOL, "stopped after %" PRIu64 " octets%s; it stays on the server",
                   bound, p3_in_command(" (--message-limit)"));
    p3_maildrop_row(r->drop, mail)->tries += P3_TRIES_MOST - 1;
    p3_recorder_set_back(r->recorder, mail, true, &why);
    r->endless = true;
    p3_maildrop_failed(r->drop, &why);
    return POP3_SINK_ABORT;
}

static pop3_sink_result take_octets(void *ctx, const char *data, size_t len)
{
    p3_retriever *r = ctx;
    if (r->drop->over)
        return POP3_SINK_ABORT;
    if (r->in_hand == P3_IN_HAND_FAILED || r->in_hand == P3_IN_HAND_LEFT ||
        (r->in_hand == P3_IN_HAND_NONE && !find_target(r)))
        return POP3_SINK_DISCARD;
    if (r->in_hand == P3_IN_HAND_NONE && !begin_message(r))
        return cannot_deliver(r);
    uint64_t bound = r->drop->account->message_limit; /* sizes from the server are only hints */
    r->octets += len;
    if (bound > 0 && r->octets > bound)
        return abandon_endless_message(r, bound);
    return p3_message_take(&r->message, data, len) ? POP3_SINK_CONTINUE : cannot_deliver(r);
}

/* Whether a message that is retrieved again under its name differs from the one that a killed run
 * may have delivered under it, or from the one that targets of a list have, whose body may be
 * unknown. */
static bool is_another(p3_retriever *r, const p3_row *row)
{
    bool kept = p3_name_list_is_kept(r->names, r->window.finished);
    if ((!kept && row->members == 0) || !p3_fingerprint_known(&row->fingerprint))
        return false;
    p3_message_end(&r->message);
    bool has_body = kept || p3_fingerprint_known(&row->body);
    return !p3_fingerprint_equal(&row->fingerprint, &r->message.print) ||
           (has_body && !p3_fingerprint_equal(&row->body, &r->message.whole));
}

/* The target must not mistake it for that one: the next visit delivers it under another name. */
static void set_apart(p3_retriever *r, const p3_mail *mail)
{
    p3_row *row = p3_maildrop_row(r->drop, mail);
    row->name = "";
    row->members = 0; /* these targets get it as well */
    row->fingerprint = row->body = (p3_fingerprint){{0}};
    p3_recorder_add_row(r->recorder, row);
    r->others = true;
}

/* Whether a message equals, to the last octet, what was delivered of it before in doubt. */
static bool came_before(p3_retriever *r, const p3_row *row)
{
    if (row->standing != P3_UNPROVEN || !p3_fingerprint_known(&row->body))
        return false;
    p3_message_end(&r->message);
    return p3_fingerprint_equal(&row->fingerprint, &r->message.print) &&
           p3_fingerprint_equal(&row->body, &r->message.whole);
}

/* Records what the size of a received message proves: nothing if the one before has the same size,
 * or after one that did not have its listed size. */
static void note_size(p3_retriever *r, p3_mail *mail, uint64_t octets)
{
    size_t i = r->window.finished;
    bool alike = i > 0 && r->drop->box.at[r->window.mails[i - 1]].octets == octets;
    mail->octets = octets;
    mail->unsure = alike || r->slipped;
    r->slipped = r->slipped || mail->came != P3_CAME_SIZED ||
                 p3_maildrop_row(r->drop, mail)->octets != octets;
}

/* It is not delivered again; the rest of the session decides whether it counts as delivered. */
static void count_again(p3_retriever *r, p3_mail *mail, const pop3_result *result)
{
    r->odd = p3_reply_order_check(mail, &r->message.header, result) || r->odd;
    note_size(r, mail, result->octets);
    mail->came = P3_CAME_AGAIN;
    r->refusals = 0;
}

/* A message has been received: completes its row and its parcel. */
static void complete(p3_retriever *r, p3_mail *mail, const pop3_result *result)
{
    p3_parcel parcel = {.entry = (size_t)(mail - r->drop->box.at),
                        .fd = -1,
                        .again = p3_name_list_is_kept(r->names, r->window.finished)};
    bool begun = r->in_hand != P3_IN_HAND_NONE || !find_target(r) || begin_message(r);
    if (!begun)
        (void)cannot_deliver(r);
    if (r->in_hand != P3_IN_HAND_WRITTEN)
        return;
    if (is_another(r, p3_maildrop_row(r->drop, mail))) {
        set_apart(r, mail);
        return;
    }
    if (came_before(r, p3_maildrop_row(r->drop, mail))) {
        count_again(r, mail, result);
        return;
    }
    if (!p3_message_finish(&r->message, &parcel)) {
        (void)cannot_deliver(r);
        return;
    }
    const p3_header *h = &r->message.header;
    p3_row *row = p3_maildrop_row(r->drop, mail);
    r->odd = p3_reply_order_check(mail, h, result) || r->odd;
    row->standing = P3_INTENT;
    row->fingerprint = p3_fingerprint_of(h->data, h->len);
    p3_maildrop_compare_top(r->drop, mail, &row->fingerprint);
    row->common = !p3_header_is_distinctive(h->data, h->len);
    row->body = r->delivery->class->prints ? parcel.body : parcel.kept;
    row->octets = mail->octets != P3_SIZE_UNKNOWN ? mail->octets
                  : mail->came == P3_CAME_SIZED   ? result->octets
                                                  : 0;
    note_size(r, mail, result->octets);
    r->refusals = 0;
    p3_report_retrieved(r->drop->report, mail, result->octets);
    r->came(r->ctx, &parcel);
}

/* The server refused a message. If it refuses every message in a row, not all are requested. */
static void refused(p3_retriever *r, p3_mail *mail)
{
    p3_problem why;
    p3_report *report = r->drop->report;
    p3_describe_refused_message(r->drop->client, &why);
    if (++r->refusals > P3_REFUSALS_MOST) {
        p3_report_refused_beyond(report, mail); /* requested before that was known */
        return;
    }
    bool disbelieved = p3_report_disbelieves(report, mail);
    if (!disbelieved)
        p3_recorder_set_back(r->recorder, mail, true, &why);
    if (r->refusals < P3_REFUSALS_MOST)
        return;
    if (!disbelieved) {
        p3_problem_set(&why, EX_TEMPFAIL,
                       "the server refused %u messages in a row; no more are requested in this run",
                       r->refusals);
        p3_maildrop_noted(r->drop, &why);
    }
    r->window.count = r->window.submitted;
}

/* The connection ended, or an answer was wrong, while a message was requested. */
static void lost(p3_retriever *r, p3_mail *mail, const pop3_result *result)
{
    p3_problem why;
    pop3_status status = result->status;
    bool alone = r->steps || (status == POP3_ERR_TIMEOUT && !r->drop->pipelined);
    p3_problem_set(&why, EX_TEMPFAIL, "%s%s",
                   status == POP3_ERR_PROTOCOL ? "it is not certain that it is whole: " : "",
                   pop3_client_error(r->drop->client)->message);
    r->broke = r->in_hand != P3_IN_HAND_NONE;
    /* If it is closed before anything arrives, the message need not be the reason: see trust.h. */
    r->blamed = r->broke || (result->sent && status != POP3_ERR_CLOSED);
    if (r->blamed)
        p3_recorder_set_back(r->recorder, mail, alone || (r->broke && status != POP3_ERR_PROTOCOL),
                             &why);
    p3_maildrop_lost(r->drop, status);
}

static void retrieved(void *ctx, p3_mail *mail, const pop3_result *result)
{
    p3_retriever *r = ctx;
    bool at_work = !r->drop->over;
    if (at_work && result->status == POP3_OK)
        complete(r, mail, result);
    if (at_work && r->in_hand == P3_IN_HAND_FAILED && r->message.why.error == EFBIG)
        p3_recorder_set_back(r->recorder, mail, true, &r->message.why);
    else if (at_work && result->status == POP3_ERR_REFUSED)
        refused(r, mail);
    else if (at_work && result->status != POP3_OK)
        lost(r, mail, result);
    if (r->in_hand != P3_IN_HAND_NONE)
        p3_message_abandon(&r->message); /* finished messages are kept */
    r->in_hand = P3_IN_HAND_NONE;
    if (!r->drop->over && p3_stop_is_asked(r->drop->report->options))
        p3_maildrop_stopped(r->drop, "");
}

/* ---- all of them ---- */

/* Whether fingerprints of bodies may be needed later: before messages are deleted, if unique-ids do
 * not identify them, or if a delivery is in doubt. */
static bool wants_bodies(const p3_retriever *r)
{
    const p3_maildrop *d = r->drop;
    bool wants = d->account->removal != P3_REMOVE_NEVER || d->box.has_nameless || d->box.numbered;
    for (size_t i = 0; i < r->window.count && !wants; i++) {
        const p3_mail *mail = &d->box.at[r->window.mails[i]];
        p3_standing is = mail->row == P3_NO_ROW ? P3_GONE : p3_maildrop_row(d, mail)->standing;
        wants = is == P3_UNPROVEN || is == P3_DOUBTED;
    }
    return wants;
}

bool p3_retriever_begin(p3_retriever *r, const size_t *mails, size_t count, p3_problem *why)
{
    const p3_account *a = r->drop->account;
    r->window = p3_window_for(r->drop, POP3_CMD_RETR, r);
    r->window.sink = take_octets;
    r->window.done = retrieved;
    r->window.allowed = 0;
    for (size_t i = 0; i < count && !r->drop->over; i++)
        p3_window_add(&r->window, mails[i]);
    if (count == 0)
        return true;
    if (r->drop->over)
        return p3_problem_memory(why);
    r->delivery = p3_list_delivery_open(&a->target, r->drop->owner, why);
    if (r->delivery == NULL)
        return false;
    if (r->drop->settled != NULL && r->delivery->class->inherit != NULL)
        r->delivery->class->inherit(r->delivery, r->drop->settled);
    return p3_message_init(&r->message, r->delivery, a->line_ends,
                           wants_bodies(r) ? P3_BODIES_ALL : P3_BODIES_COMMON) ||
           p3_problem_memory(why);
}

void p3_retriever_allow(p3_retriever *r, size_t allowed)
{
    r->window.allowed = allowed;
    p3_window_fill(&r->window);
}

bool p3_retriever_is_out_of_step(const p3_retriever *r, pop3_status status)
{
    return status == POP3_ERR_PROTOCOL ||
           (status == POP3_ERR_LIMIT && r->in_hand == P3_IN_HAND_NONE) || r->odd;
}

void p3_retriever_free(p3_retriever *r)
{
    if (r->message.delivery != NULL)
        p3_message_free(&r->message);
    if (r->delivery != NULL)
        r->delivery->class->close(r->delivery);
    p3_window_free(&r->window);
}

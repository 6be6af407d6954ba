/* Compares messages with those that were delivered, to the last octet. */
#include "collect/comparer.h"

#include <inttypes.h>
#include <sysexits.h>

#include "collect/failure_text.h"
#include "support/wording.h"

/* Hashes the body in the form that a Maildir gives back, with CRLF at each line end. */
static void take_as_crlf(p3_comparer *c, const char *data, size_t len)
{
    size_t done = 0;
    for (size_t i = 0; i < len; i++) {
        if (data[i] == '\n' && c->last != '\r') {
            p3_body_hash_take(c->as_crlf, data + done, i - done, 0);
            p3_body_hash_take(c->as_crlf, "\r", 1, 0);
            done = i;
        }
        c->last = data[i];
    }
    p3_body_hash_take(c->as_crlf, data + done, len - done, 0);
}

static pop3_sink_result take_octets(void *ctx, const char *data, size_t len)
{
    p3_comparer *c = ctx;
    uint64_t most = c->drop->account->message_limit;
    c->octets += len;
    if (most > 0 && c->octets > most) {
        p3_problem why;
        p3_problem_set(&why, EX_PROTOCOL,
                       "comparing a message with the one that was delivered: stopped after %" PRIu64
                       " octets%s",
                       most, p3_in_command(" (--message-limit)"));
        c->endless = p3_window_in_hand(&c->window);
        p3_maildrop_failed(c->drop, &why);
        return POP3_SINK_ABORT;
    }
    size_t in_header = p3_header_take(&c->header, data, len);
    p3_body_hash_take(c->body, data, len, in_header);
    take_as_crlf(c, data + in_header, len - in_header);
    return POP3_SINK_CONTINUE;
}

static void begin_next(p3_comparer *c)
{
    p3_header_reset(&c->header);
    p3_body_hash_begin_whole(c->body);
    p3_body_hash_begin_whole(c->as_crlf);
    c->octets = 0;
    c->last = '\0';
}

static bool mismatch(p3_maildrop *d, p3_mail *mail, p3_fingerprint print, p3_fingerprint body)
{
    size_t i = (size_t)(mail - d->box.at);
    bool distinctive = p3_listing_look(&d->box, i).distinctive;
    p3_look look = {.print = print, .body = body, .distinctive = distinctive};
    p3_plan_mismatch(&d->plan, mail);
    return p3_listing_set_look(&d->box, i, look);
}

/* A message has been received completely. False when out of memory. */
static bool compare(p3_comparer *c, p3_mail *mail)
{
    const p3_row *row = p3_maildrop_row(c->drop, mail);
    p3_fingerprint print = p3_fingerprint_of(c->header.data, c->header.len);
    p3_fingerprint body = p3_body_hash_end(c->body);
    p3_fingerprint as_crlf = p3_body_hash_end(c->as_crlf);
    if (c->header.failed)
        return false;
    p3_maildrop_compare_top(c->drop, mail, &print);
    bool same_body = !p3_fingerprint_known(&row->body) || /* see examine() */
                     p3_fingerprint_equal(&body, &row->body) ||
                     p3_fingerprint_equal(&as_crlf, &row->body);
    if (!p3_fingerprint_equal(&print, &row->fingerprint) || !same_body)
        return mismatch(c->drop, mail, print, body);
    mail->certain = P3_CERTAIN;
    return true;
}

static void compared(void *ctx, p3_mail *mail, const pop3_result *result)
{
    p3_comparer *c = ctx;
    p3_problem why;
    if (result->status == POP3_ERR_REFUSED) {
        mail->todo = P3_TODO_NOTHING; /* doubts about it remain */
        p3_describe_refused_message(c->drop->client, &why);
        p3_report_unseen(c->drop->report, mail, &why);
    } else if (result->status != POP3_OK) {
        p3_maildrop_lost(c->drop, result->status);
    } else if (!compare(c, mail)) {
        p3_maildrop_failed_memory(c->drop);
    }
    begin_next(c);
}

/* Decides about a message that is known, but not for certain. */
static void examine(p3_comparer *c, p3_mail *mail)
{
    p3_listing *box = &c->drop->box;
    size_t i = (size_t)(mail - box->at);
    p3_look look = p3_listing_look(box, i);
    const p3_row *row = p3_maildrop_row(c->drop, mail);
    bool due = p3_maildrop_row_is_due(c->drop, row);
    bool common = p3_fingerprint_known(&look.print) && !look.distinctive;
    if (p3_fingerprint_known(&row->body) ? due || common
                                         : due && p3_plan_is_listed(box, mail, row)) {
        c->drop->plan.looks++;
        p3_window_add(&c->window, i);
    } else if (due) { /* nothing to compare it with: deliver it twice rather than delete it unread
                       */
        p3_plan_retrieve(&c->drop->plan, mail);
    }
}

void p3_comparer_begin(p3_comparer *c)
{
    p3_listing *box = &c->drop->box;
    size_t end = c->drop->report->options->dry_run ? 0 : box->count;
    c->window = p3_window_for(c->drop, POP3_CMD_RETR, c);
    c->window.sink = take_octets;
    c->window.done = compared;
    for (size_t i = 0; i < end && !c->drop->over; i++) {
        if (box->at[i].todo == P3_TODO_KEEP && box->at[i].certain == P3_UNCERTAIN)
            examine(c, &box->at[i]);
    }
    if (c->window.count == 0 || c->drop->over)
        return;
    c->body = p3_body_hash_new();
    c->as_crlf = p3_body_hash_new();
    if (c->body == NULL || c->as_crlf == NULL) {
        p3_maildrop_failed_memory(c->drop);
        return;
    }
    begin_next(c);
    p3_window_fill(&c->window);
}

void p3_comparer_free(p3_comparer *c)
{
    p3_window_free(&c->window);
    p3_header_free(&c->header);
    p3_body_hash_free(c->body);
    p3_body_hash_free(c->as_crlf);
}

/* Whether messages that were found by their headers are those that were delivered, to the last
 * octet: before one is deleted, and where a header does not say which message it is. It is
 * retrieved once more for that, and not delivered when it is the same. One that is another is new,
 * unless it is that of another row. */
#include "collect/session.h"

#include <inttypes.h>
#include <sysexits.h>

#include "collect/failure_text.h"

static pop3_sink_result take_octets(p3_session *s, const char *data, size_t len)
{
    uint64_t most = s->account->message_limit;
    s->octets_come += len;
    if (most > 0 && s->octets_come > most) {
        p3_problem why;
        p3_problem_set(&why, EX_PROTOCOL,
                       "comparing a message with the one that was delivered: it was given up at "
                       "%" PRIu64 " octets (--message-limit)",
                       most);
        p3_session_fail(s, &why);
        return POP3_SINK_ABORT;
    }
    size_t in_header = p3_header_take(&s->look, data, len);
    p3_body_hash_take(s->body, data, len, in_header);
    return POP3_SINK_CONTINUE;
}

static void begin_next(p3_session *s)
{
    p3_header_reset(&s->look);
    p3_body_hash_begin(s->body);
    s->octets_come = 0;
}

static void compared(p3_session *s, p3_mail *mail, const pop3_result *result)
{
    if (result->status == POP3_OK) {
        const p3_row *row = &s->rows.at[mail->row];
        p3_fingerprint print = p3_fingerprint_of(s->look.data, s->look.len);
        p3_fingerprint body = p3_body_hash_end(s->body);
        if (s->look.failed)
            p3_session_fail_memory(s);
        else if (p3_fingerprint_equal(&print, &row->fingerprint) &&
                 p3_fingerprint_equal(&body, &row->body))
            mail->certain = true;
        else if (!p3_others_add(&s->others, (p3_other){(size_t)(mail - s->box.at), print, body}))
            p3_session_fail_memory(s);
    } else if (result->status == POP3_ERR_REFUSED) {
        p3_problem why;
        p3_describe_refused_message(s->client, &why);
        s->tally.unseen++;
        p3_session_tell(s, P3_NOTICE_FAILED, mail, NULL, &why);
    } else {
        p3_session_lost(s, result->status);
    }
    begin_next(s);
}

/* Decides about a message that is known, but not for certain. False when out of memory. */
static bool examine(p3_session *s, p3_mail *mail)
{
    size_t i = (size_t)(mail - s->box.at);
    p3_look look = p3_mailbox_look(&s->box, i);
    const p3_row *row = &s->rows.at[mail->row];
    bool due = p3_session_due(s, row);
    bool common = p3_fingerprint_known(&look.print) && !look.distinctive;
    if (p3_fingerprint_known(&row->body) && (due || common))
        return p3_window_add(&s->looking, i);
    if (due) /* nothing to compare it with: rather delivered twice than deleted unread */
        p3_plan_take(&s->plan, mail);
    return true;
}

bool p3_session_want_bodies(p3_session *s)
{
    if (s->body == NULL)
        s->body = p3_body_hash_new();
    if (s->body == NULL)
        p3_session_fail_memory(s);
    return s->body != NULL;
}

bool p3_session_end_verifying(p3_session *s)
{
    bool ok = s->others.count == 0 || p3_plan_match_others(&s->plan, &s->box, &s->rows, &s->others);
    p3_others_free(&s->others);
    if (!ok)
        p3_session_fail_memory(s);
    return ok;
}

bool p3_session_verify(p3_session *s)
{
    p3_window_free(&s->looking);
    s->looking = (p3_window){.session = s,
                             .kind = POP3_CMD_RETR,
                             .allowed = SIZE_MAX,
                             .most = P3_WINDOW,
                             .sink = take_octets,
                             .done = compared};
    s->verifying = true;
    if (s->run->options->dry_run)
        return false;
    for (size_t i = 0; i < s->box.count; i++) {
        p3_mail *mail = &s->box.at[i];
        if (mail->todo == P3_TODO_KEEP && !mail->certain && !examine(s, mail))
            return true;
    }
    if (s->looking.count == 0)
        return false;
    if (p3_session_want_bodies(s)) {
        begin_next(s);
        p3_window_fill(&s->looking);
    }
    return true;
}

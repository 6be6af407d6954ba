/* DELE, QUIT, and what is recorded about them. */
#include "collect/session.h"

#include <stdlib.h>
#include <time.h>

#include "collect/failure_text.h"
#include "support/fault.h"

static void dropped(p3_session *s, p3_mail *mail, const pop3_result *result)
{
    p3_fault("dele-answered");
    if (s->stage != P3_STAGE_TAKING)
        return;
    mail->marked = result->status == POP3_OK;
    if (result->status == POP3_ERR_REFUSED) {
        p3_problem why;
        p3_describe_refused_message(s->client, &why);
        p3_session_tell(s, P3_NOTICE_FAILED, mail, NULL, &why);
    } else if (result->status != POP3_OK) {
        p3_session_lost(s, result->status);
    }
}

void p3_session_drop(p3_session *s, p3_mail *mail)
{
    if (s->stage != P3_STAGE_TAKING)
        return;
    s->dropping.done = dropped;
    if (p3_window_add(&s->dropping, (size_t)(mail - s->box.at)))
        p3_window_fill(&s->dropping);
}

static void quit_answered(void *ctx, pop3_client *client, const pop3_result *result)
{
    p3_session *s = ctx;
    (void)client;
    p3_fault("quit-answered");
    if (s->stage != P3_STAGE_QUIT)
        return;
    bool harmless = pop3_client_deletions(s->client) == 0; /* nothing hung on the answer */
    if (result->status != POP3_OK && !harmless) {
        p3_session_lost(s, result->status);
        return;
    }
    s->close_wanted = result->status != POP3_OK;
    p3_session_confirm(s);
    s->stage = P3_STAGE_GONE;
    size_t n = 0;
    p3_change *changes = calloc(s->dropping.count + 1, sizeof *changes);
    if (changes == NULL) {
        p3_session_fail_memory(s);
        return;
    }
    for (size_t i = 0; i < s->dropping.count; i++) {
        p3_mail *mail = &s->box.at[s->dropping.mails[i]];
        if (!mail->marked)
            continue;
        s->tally.deleted++;
        if (mail->row != P3_NO_ROW)
            changes[n++] = p3_session_change(s, mail, P3_GONE);
    }
    if (n > 0)
        (void)p3_session_record(s, changes, n, NULL, "gone-recorded");
    else
        free(changes);
    p3_session_advance(s);
}

void p3_session_submit_quit(p3_session *s)
{
    pop3_command quit = POP3_COMMAND_INIT;
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    quit.kind = POP3_CMD_QUIT;
    handlers.done = quit_answered;
    handlers.ctx = s;
    s->stage = P3_STAGE_QUIT;
    p3_fault("before-quit");
    pop3_status status = pop3_client_submit(s->client, &quit, &handlers);
    if (status != POP3_OK)
        p3_session_lost(s, status);
}

void p3_session_finish(p3_session *s)
{
    size_t n = 0;
    s->stage = P3_STAGE_LEAVING;
    p3_change *changes = calloc(s->dropping.count + 1, sizeof *changes);
    if (changes == NULL) {
        p3_session_fail_memory(s);
        return;
    }
    for (size_t i = 0; i < s->dropping.count; i++) {
        p3_mail *mail = &s->box.at[s->dropping.mails[i]];
        if (mail->marked && mail->row != P3_NO_ROW)
            changes[n++] = p3_session_change(s, mail, P3_LEAVING);
    }
    if (n > 0)
        (void)p3_session_record(s, changes, n, NULL, "leaving-recorded");
    else
        free(changes);
    p3_session_advance(s);
}

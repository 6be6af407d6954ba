/* Commands of one kind for many messages: a bounded number is under way at any time, so that
 * neither the queue grows with the mailbox nor the line falls silent. */
#include "support/grow.h"
#include "collect/session.h"

#include <stdlib.h>

bool p3_window_add(p3_window *w, size_t mail)
{
    size_t *mails = p3_grow(w->mails, &w->room, w->count + 1, sizeof *mails);
    if (mails == NULL) {
        p3_session_fail_memory(w->session);
        return false;
    }
    w->mails = mails;
    w->mails[w->count++] = mail;
    return true;
}

static pop3_sink_result take(void *ctx, const char *data, size_t len)
{
    p3_window *w = ctx;
    return w->sink(w->session, data, len);
}

static void done(void *ctx, pop3_client *client, const pop3_result *result)
{
    p3_window *w = ctx;
    p3_session *s = w->session;
    (void)client;
    w->done(s, &s->box.at[w->mails[w->finished]], result);
    w->finished++;
    if (s->stage != P3_STAGE_OVER)
        p3_window_fill(w); /* what comes after the window is decided when all that came is read */
}

void p3_window_fill(p3_window *w)
{
    p3_session *s = w->session;
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    handlers.sink = w->sink != NULL ? take : NULL;
    handlers.done = done;
    handlers.ctx = w;
    size_t end = w->count < w->allowed ? w->count : w->allowed;
    while (w->submitted < end && w->submitted - w->finished < w->most && !s->close_wanted) {
        pop3_command command = POP3_COMMAND_INIT;
        bool by_retr = w->kind == POP3_CMD_TOP && w->submitted >= w->by_retr;
        command.kind = by_retr ? POP3_CMD_RETR : w->kind;
        const p3_mail *mail = &s->box.at[w->mails[w->submitted]];
        command.number = mail->number;
        /* What comes of LIST beside UIDL is not asked for as the measure of a message. */
        if (w->kind == POP3_CMD_RETR && mail->octets != P3_SIZE_UNKNOWN && !s->sizes_asked)
            command.octets = mail->octets;
        pop3_status status = pop3_client_submit(s->client, &command, &handlers);
        if (status != POP3_OK) {
            p3_session_lost(s, status);
            return;
        }
        w->submitted++;
    }
    if (w->submitted - w->finished > 1 && pop3_client_pipelines(s->client))
        s->together = true; /* the server may say otherwise when it is asked again */
}

bool p3_window_by_retr(p3_window *w)
{
    if (w->finished == 0)
        w->kind = POP3_CMD_RETR;
    if (w->by_retr == SIZE_MAX)
        w->by_retr = w->count;
    return p3_window_add(w, w->mails[w->finished]);
}

bool p3_window_done(const p3_window *w)
{
    return w->finished == w->count;
}

void p3_window_free(p3_window *w)
{
    free(w->mails);
    *w = (p3_window){0};
}

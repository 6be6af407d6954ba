/* Commands of one kind for many messages. */
#include "collect/window.h"

#include <stdlib.h>

#include "support/grow.h"

p3_window p3_window_for(p3_maildrop *drop, pop3_command_kind kind, void *ctx)
{
    return (p3_window){.drop = drop,
                       .kind = kind,
                       .ctx = ctx,
                       .allowed = SIZE_MAX,
                       .most = P3_WINDOW,
                       .by_retr = SIZE_MAX};
}

void p3_window_add(p3_window *w, size_t mail)
{
    if (p3_grow(&w->mails, &w->room, w->count + 1, sizeof *w->mails))
        w->mails[w->count++] = mail;
    else
        p3_maildrop_failed_memory(w->drop);
}

void p3_window_add_all(p3_window *w, p3_todo todo)
{
    const p3_listing *box = &w->drop->box;
    for (size_t i = 0; i < box->count && !w->drop->over; i++) {
        if (box->at[i].todo == todo)
            p3_window_add(w, i);
    }
}

static pop3_sink_result take_octets(void *ctx, const char *data, size_t len)
{
    p3_window *w = ctx;
    return w->sink(w->ctx, data, len);
}

static void done(void *ctx, pop3_client *client, const pop3_result *result)
{
    p3_window *w = ctx;
    (void)client;
    w->done(w->ctx, &w->drop->box.at[w->mails[w->finished]], result);
    w->finished++;
    p3_window_fill(
        w); /* commands after the window are sent when everything received has been read */
}

void p3_window_fill(p3_window *w)
{
    pop3_client *client = w->drop->client;
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    handlers.sink = w->sink != NULL ? take_octets : NULL;
    handlers.done = done;
    handlers.ctx = w;
    size_t end = w->count < w->allowed ? w->count : w->allowed;
    while (w->submitted < end && w->submitted - w->finished < w->most && !w->drop->over) {
        pop3_command command = POP3_COMMAND_INIT;
        bool by_retr = w->kind == POP3_CMD_TOP && w->submitted >= w->by_retr;
        command.kind = by_retr ? POP3_CMD_RETR : w->kind;
        const p3_mail *mail = &w->drop->box.at[w->mails[w->submitted]];
        command.number = mail->number;
        if (w->drop->passes_size && w->kind == POP3_CMD_RETR && mail->octets != P3_SIZE_UNKNOWN)
            command.octets = mail->octets;
        pop3_status status = pop3_client_submit(client, &command, &handlers);
        if (status != POP3_OK) {
            p3_maildrop_lost(w->drop, status);
            return;
        }
        w->submitted++;
    }
    if (w->submitted - w->finished > 1 && pop3_client_pipelines(client))
        w->drop->pipelined = true; /* the server may answer differently when asked again */
}

bool p3_window_is_done(const p3_window *w)
{
    return w->finished == w->count;
}

uint32_t p3_window_in_hand(const p3_window *w)
{
    return w->finished < w->submitted ? w->drop->box.at[w->mails[w->finished]].number : 0;
}

void p3_window_by_retr(p3_window *w)
{
    if (w->finished == 0)
        w->kind = POP3_CMD_RETR;
    if (w->by_retr == SIZE_MAX)
        w->by_retr = w->count;
    p3_window_add(w, w->mails[w->finished]);
}

void p3_window_free(p3_window *w)
{
    free(w->mails);
    *w = (p3_window){0};
}

/* Requests the headers of doubtful messages. */
#include "collect/header_reader.h"

#include "collect/failure_text.h"

static pop3_sink_result take_octets(void *ctx, const char *data, size_t len)
{
    p3_header_reader *l = ctx;
    p3_header_take(&l->header, data, len);
    return l->header.done ? POP3_SINK_DISCARD : POP3_SINK_CONTINUE;
}

static void looked(void *ctx, p3_mail *mail, const pop3_result *result)
{
    p3_header_reader *l = ctx;
    const p3_header *h = &l->header;
    p3_listing *box = &l->drop->box;
    bool whole = result->status == POP3_OK || (result->status == POP3_ERR_CANCELLED && h->done);
    if (whole && !h->failed) {
        p3_look seen = {.print = p3_fingerprint_of(h->data, h->len),
                        .distinctive = p3_header_is_distinctive(h->data, h->len)};
        if (!p3_listing_set_look(box, (size_t)(mail - box->at), seen))
            p3_maildrop_failed_memory(l->drop);
    } else if (result->status != POP3_ERR_REFUSED) {
        p3_maildrop_lost(l->drop, result->status);
    } else if (result->command == POP3_CMD_TOP) {
        p3_window_by_retr(&l->window);
    } else if (!p3_report_disbelieves(l->drop->report, mail)) {
        p3_problem why;
        p3_describe_refused_message(l->drop->client, &why);
        p3_report_unseen(l->drop->report, mail, &why);
    }
    p3_header_reset(&l->header);
}

void p3_header_reader_begin(p3_header_reader *l)
{
    p3_maildrop *d = l->drop;
    if (d->plan.looks == 0)
        return;
    l->window = p3_window_for(d, p3_maildrop_can_top(d) ? POP3_CMD_TOP : POP3_CMD_RETR, l);
    l->window.sink = take_octets;
    l->window.done = looked;
    p3_window_add_all(&l->window, P3_TODO_READ_HEADER);
    /* The first is requested alone, to find out whether TOP works. */
    l->window.most = 1;
    p3_window_fill(&l->window);
    l->window.most = 2048;
}

void p3_header_reader_free(p3_header_reader *l)
{
    p3_window_free(&l->window);
    p3_header_free(&l->header);
}

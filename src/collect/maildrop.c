/* The maildrop of a visit. */
#include "collect/maildrop.h"

#include <sysexits.h>

#include "support/wording.h"

/* How often a message is deleted again whose deletion was confirmed, and which is still listed. */
#define P3_RETURNS_MOST 3

void p3_maildrop_free(p3_maildrop *d)
{
    p3_known_account_clear(&d->known);
    p3_rows_free(&d->rows);
    p3_listing_free(&d->box);
    p3_plan_free(&d->plan);
}

void p3_maildrop_advance(const p3_maildrop *d)
{
    d->listener->advance(d->listener->ctx);
}

void p3_maildrop_lost(const p3_maildrop *d, pop3_status status)
{
    d->listener->lost(d->listener->ctx, status);
}

void p3_maildrop_noted(const p3_maildrop *d, const p3_problem *why)
{
    d->listener->noted(d->listener->ctx, why);
}

void p3_maildrop_learned(const p3_maildrop *d, uint32_t flags)
{
    d->listener->learned(d->listener->ctx, (pop3_server_traits){.flags = flags});
}

void p3_maildrop_submit(const p3_maildrop *d, pop3_command_kind kind, pop3_entry_fn entry,
                        pop3_done_fn done, void *ctx)
{
    pop3_command command = POP3_COMMAND_INIT;
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    command.kind = kind;
    handlers.entry = entry;
    handlers.done = done;
    handlers.ctx = ctx;
    pop3_status status = pop3_client_submit(d->client, &command, &handlers);
    if (status != POP3_OK)
        p3_maildrop_lost(d, status);
}

void p3_maildrop_failed(const p3_maildrop *d, const p3_problem *why)
{
    d->listener->failed(d->listener->ctx, why);
}

void p3_maildrop_failed_memory(const p3_maildrop *d)
{
    p3_problem why;
    p3_problem_memory(&why);
    p3_maildrop_failed(d, &why);
}

void p3_maildrop_stopped(const p3_maildrop *d, const char *when)
{
    p3_problem why;
    p3_problem_set(&why, EX_TEMPFAIL, "stopped%s%s", p3_in_command(" by a signal"), when);
    p3_maildrop_failed(d, &why);
}

bool p3_maildrop_row_is_due(const p3_maildrop *d, const p3_row *row)
{
    const p3_account *a = d->account;
    if (row->tries >= P3_RETURNS_MOST || row->standing == P3_PASSED_OVER ||
        p3_maildrop_starts_now(d))
        return false;
    switch (a->removal) {
    case P3_REMOVE_DELIVERED:
        return true;
    case P3_REMOVE_AFTER:
        /* A wrong clock makes messages stay longer, never shorter. */
        return p3_calendar_plausible(&d->calendar, row->time) &&
               row->time + a->remove_after <= d->calendar.due;
    default:
        return false;
    }
}

bool p3_maildrop_is_due(const p3_maildrop *d, const p3_mail *mail)
{
    return mail->remove || (mail->todo == P3_TODO_KEEP &&
                            (mail->certain == P3_CERTAIN || d->report->options->dry_run) &&
                            p3_maildrop_row_is_due(d, p3_maildrop_row(d, mail)));
}

bool p3_maildrop_any_due(const p3_maildrop *d)
{
    bool any = false;
    for (size_t i = 0; i < d->rows.count && !any; i++) {
        const p3_row *row = &d->rows.at[i];
        any = (row->standing == P3_DELIVERED || row->standing == P3_LEAVING) &&
              p3_maildrop_row_is_due(d, row);
    }
    return any;
}

bool p3_maildrop_can_top(const p3_maildrop *d)
{
    const pop3_capabilities *caps = pop3_client_capabilities(d->client);
    return !d->no_top && (d->known.traits.flags & POP3_TRAIT_NO_TOP) == 0 &&
           (caps == NULL || (caps->flags & POP3_CAP_TOP) != 0);
}

void p3_maildrop_compare_top(const p3_maildrop *d, const p3_mail *mail,
                             const p3_fingerprint *retrieved)
{
    p3_fingerprint shown = p3_listing_look(&d->box, (size_t)(mail - d->box.at)).print;
    if (p3_fingerprint_known(&shown) && !p3_fingerprint_equal(&shown, retrieved) &&
        p3_maildrop_can_top(d))
        p3_maildrop_learned(d, POP3_TRAIT_NO_TOP);
}

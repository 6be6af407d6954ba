/* The maildrop that a visit works on: what the server lists, what is known of it, and the
 * connection. The parts of a visit share it. Each knows the others by nothing else, and tells what
 * happens to it, when it happens outside of a call, through the functions that were handed over. */
#ifndef P3_COLLECT_MAILDROP_H
#define P3_COLLECT_MAILDROP_H

#include "collect/plan.h"
#include "collect/report.h"

/* Whoever steps the parts. */
typedef struct p3_listener {
    void (*advance)(void *ctx);                       /* something it waited for is over */
    void (*lost)(void *ctx, pop3_status status);      /* a command ended so, not by a refusal */
    void (*failed)(void *ctx, const p3_problem *why); /* the visit cannot go on */
    void (*noted)(void *ctx, const p3_problem *why);  /* it goes on, but not all is well */
    void (*learned)(void *ctx, pop3_server_traits traits);
    void *ctx;
} p3_listener;

typedef struct p3_maildrop {
    const p3_account *account;
    p3_report *report;
    p3_owner owner; /* of files beside the target */
    const p3_listener *listener;
    pop3_client *client;    /* from the login on */
    p3_known_account known; /* the account as stored; what is learned is added */
    p3_calendar calendar;   /* as the visit began */
    int64_t run_first;      /* rows from this id on are of messages that came in this run */
    p3_rows rows;           /* what is known */
    bool moved;             /* what is known is of another target than that of now */
    p3_members stays;       /* those of now's targets of which it is all the same */
    p3_delivery *settled;   /* that intents of an earlier run were looked for with; or NULL */
    p3_members unasked;     /* those that could not be asked about intents of an earlier run */
    p3_listing box;         /* what is there */
    p3_plan plan;           /* what to do about it */
    bool sized;             /* RETR is told the size that is known, as the measure of the message */
    bool together;          /* commands have been under way together */
    bool no_top;            /* TOP is left out in this visit */
    bool over;              /* the visit is: callbacks that still come change nothing */
} p3_maildrop;

/* Frees what it holds, but for the connection. */
void p3_maildrop_free(p3_maildrop *d);

/* Tell the listener. */
void p3_maildrop_advance(const p3_maildrop *d);
void p3_maildrop_lost(const p3_maildrop *d, pop3_status status);
void p3_maildrop_noted(const p3_maildrop *d, const p3_problem *why);
void p3_maildrop_learned(const p3_maildrop *d, uint32_t flags);

/* Submits a command without an argument; that it cannot be, tells lost(). */
void p3_maildrop_submit(const p3_maildrop *d, pop3_command_kind kind, pop3_entry_fn entry,
                        pop3_done_fn done, void *ctx);
void p3_maildrop_failed(const p3_maildrop *d, const p3_problem *why);
void p3_maildrop_failed_memory(const p3_maildrop *d);
void p3_maildrop_stopped(const p3_maildrop *d, const char *when);

/* What is known of a message that has a row. */
static inline p3_row *p3_maildrop_row(const p3_maildrop *d, const p3_mail *mail)
{
    return &d->rows.at[mail->row];
}

/* Whether what is on the server counts as seen: then nothing is retrieved, and nothing deleted. */
static inline bool p3_maildrop_starts_now(const p3_maildrop *d)
{
    return d->report->options->start == P3_START_NOW;
}

/* Whether a message is due for deletion that is known so. */
bool p3_maildrop_row_is_due(const p3_maildrop *d, const p3_row *row);

/* Whether a message is to be deleted without being retrieved in this visit. */
bool p3_maildrop_is_due(const p3_maildrop *d, const p3_mail *mail);

/* Whether any message that is known is due for deletion, as far as is known before the listing. */
bool p3_maildrop_any_due(const p3_maildrop *d);

/* Whether TOP is worth trying. */
bool p3_maildrop_can_top(const p3_maildrop *d);

/* A message came that had been looked at: where TOP showed another header it is not to be trusted,
 * as it makes what is known look new in every run. */
void p3_maildrop_compare_top(const p3_maildrop *d, const p3_mail *mail,
                             const p3_fingerprint *retrieved);

#endif

/* The maildrop of a visit: the server's listing, the known rows, and the connection. The parts of a
 * visit share it and know nothing else of each other. If something happens to a part outside of a
 * call, it reports that through the listener. */
#ifndef P3_COLLECT_MAILDROP_H
#define P3_COLLECT_MAILDROP_H

#include "collect/plan.h"
#include "collect/report.h"

/* The functions by which parts report to the visit. */
typedef struct p3_listener {
    void (*advance)(void *ctx); /* something that a part waited for has ended: step */
    void (*lost)(void *ctx,
                 pop3_status status); /* a command ended with this status, other than a refusal */
    void (*failed)(void *ctx, const p3_problem *why); /* the visit cannot go on */
    void (*noted)(void *ctx, const p3_problem *why);  /* a problem that does not end the visit */
    void (*learned)(void *ctx, pop3_server_traits traits);
    void *ctx;
} p3_listener;

typedef struct p3_maildrop {
    const p3_account *account;
    p3_report *report;
    p3_owner owner; /* of files that belong to the target */
    const p3_listener *listener;
    pop3_client *client;    /* set from the login on */
    p3_known_account known; /* the stored account, to which learned traits are added */
    p3_calendar calendar;   /* at the start of the visit */
    int64_t run_first; /* rows from this id on belong to messages that were received in this run */
    p3_rows rows;      /* the known rows */
    bool moved;        /* the rows belong to another target than the account's present one */
    p3_members stays;  /* those of the present targets to which all rows apply */
    p3_delivery *settled; /* target that was asked about intents of an earlier run; or NULL */
    p3_members unasked;   /* targets that could not be asked about intents of an earlier run */
    p3_listing box;       /* the listing */
    p3_plan plan;         /* what to do with each message */
    bool passes_size;     /* RETR gets the known size, as the expected size of the message */
    bool pipelined;       /* commands have been in flight together */
    bool no_top;          /* TOP is not used in this visit */
    bool over;            /* the visit has ended: later callbacks change nothing */
} p3_maildrop;

/* Frees its contents except the connection. */
void p3_maildrop_free(p3_maildrop *d);

/* Call the listener's functions. */
void p3_maildrop_advance(const p3_maildrop *d);
void p3_maildrop_lost(const p3_maildrop *d, pop3_status status);
void p3_maildrop_noted(const p3_maildrop *d, const p3_problem *why);
void p3_maildrop_learned(const p3_maildrop *d, uint32_t flags);

/* Submits a command without an argument; reports lost() if that fails. */
void p3_maildrop_submit(const p3_maildrop *d, pop3_command_kind kind, pop3_entry_fn entry,
                        pop3_done_fn done, void *ctx);
void p3_maildrop_failed(const p3_maildrop *d, const p3_problem *why);
void p3_maildrop_failed_memory(const p3_maildrop *d);
void p3_maildrop_stopped(const p3_maildrop *d, const char *when);

/* The row of a message that has one. */
static inline p3_row *p3_maildrop_row(const p3_maildrop *d, const p3_mail *mail)
{
    return &d->rows.at[mail->row];
}

/* Whether mail on the server counts as seen: then nothing is retrieved and nothing deleted. */
static inline bool p3_maildrop_starts_now(const p3_maildrop *d)
{
    return d->report->options->start == P3_START_NOW;
}

/* Whether a message with this row is due for deletion. */
bool p3_maildrop_row_is_due(const p3_maildrop *d, const p3_row *row);

/* Whether a message is to be deleted without being retrieved in this visit. */
bool p3_maildrop_is_due(const p3_maildrop *d, const p3_mail *mail);

/* Whether any known message may be due for deletion, as far as is known before the listing. */
bool p3_maildrop_any_due(const p3_maildrop *d);

/* Whether TOP can be used. */
bool p3_maildrop_can_top(const p3_maildrop *d);

/* A message was retrieved whose header had been requested before. If TOP showed another header, TOP
 * is not used any more, because it would make known messages look new in every run. */
void p3_maildrop_compare_top(const p3_maildrop *d, const p3_mail *mail,
                             const p3_fingerprint *retrieved);

#endif

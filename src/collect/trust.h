/* How far a server is trusted, and why: a function from the evidence of an ended visit to what the
 * next visit of the run does differently, so that no message, number of commands or habit of the
 * server blocks the other messages for ever. Each alternative is tried once: one command at a time,
 * QUIT after fewer deletions, a message left out. Pure functions. */
#ifndef P3_COLLECT_TRUST_H
#define P3_COLLECT_TRUST_H

#include <pop3/traits.h>
#include <pop3/types.h>

#include <stddef.h>

#include "collect/postponed.h"
#include "collect/stage.h"

/* How careful a visit is, after what has happened in this run. */
typedef enum p3_caution {
    P3_CAUTION_NONE,
    P3_CAUTION_TROUBLE, /* messages that often failed are left out */
    P3_CAUTION_STEPS    /* also, one command at a time, each message handed in at once */
} p3_caution;

/* Whether commands are sent one at a time, and why. */
typedef enum p3_one_at_a_time {
    P3_ONE_AT_A_TIME_NO,
    P3_ONE_AT_A_TIME_SILENCE, /* the server fell silent when commands arrived together */
    P3_ONE_AT_A_TIME_CLOSE    /* it closed the connection then */
} p3_one_at_a_time;

/* Why a session broke at a deletion. */
typedef enum p3_blame {
    P3_BLAME_NONE,    /* none did */
    P3_BLAME_MESSAGE, /* the message that was to be deleted */
    P3_BLAME_SERVER   /* a habit of the server, whatever the message */
} p3_blame;

/* Where a server closed the connection: after how many answers, and at which command. */
typedef struct p3_cut {
    uint64_t answered;
    p3_stage stage;
    uint32_t number; /* the message of that command, or 0 */
} p3_cut;

/* So many visits in a row may be closed without progress before another way is tried, because one
 * may be the network's fault. */
#define P3_CLOSES 2

/* If this many sessions broke while headers were requested, none are requested any more in the run.
 */
#define P3_LOOKS_MOST 8

/* The most messages that are left out in a run. */
#define P3_ASIDE_MOST 16

/* All zero: nothing bad is known about the server. */
typedef struct p3_trust {
    p3_caution caution;
    p3_one_at_a_time one_at_a_time;
    bool no_uidl;  /* UIDL is not sent: the server closed the connection at it, or after refusing it
                    */
    bool no_top;   /* the same for TOP */
    bool no_sizes; /* LIST is not sent with UIDL: it ended a visit */
    unsigned closes;  /* visits in a row that the server closed without progress */
    uint32_t suspect; /* the current message when it last did, or 0 */
    unsigned
        looks; /* visits that broke while headers of known or doubtful messages were requested */
    int64_t proven;      /* the row of a message whose header the visit before checked, or 0 */
    unsigned quits;      /* visits in a row that were closed at QUIT after deletions */
    uint32_t quit_after; /* so QUIT follows that many, which is not learned yet; 0: no limit */
    unsigned asides;
    uint32_t aside[P3_ASIDE_MOST]; /* messages that are left out, because sessions ended at them */
    p3_postponed postponed;        /* messages at whose deletion a session broke */
    p3_blame blame;                /* of the end of the last visit */
    unsigned deletions_broken; /* sessions that broke at a deletion while commands were in flight
                                  together */
    p3_cut deletions;          /* where the last of them broke, */
    size_t deletions_before;   /* and after how many deletions */
    pop3_server_traits traits; /* traits that the visits learned */
    p3_cut cut;                /* where the last visit was closed */
    bool frugal; /* the server closes after a few commands: a visit does one thing with few commands
                  */
    bool retrieved_none;   /* when it became frugal, no message had been received in that visit */
    bool idle;             /* a visit that was only to delete deleted nothing */
    const char *mechanism; /* if frugal: the mechanism of the login; static */
} p3_trust;

/* The state of a visit when its connection ended. */
typedef struct p3_evidence {
    pop3_status status; /* of the operation that ended */
    p3_stage stage;
    pop3_server_traits known; /* the known traits */
    const char *mechanism;    /* the mechanism of the login; static */
    uint64_t answered;        /* answered commands */
    uint32_t in_hand;         /* the message that was requested, or 0 */
    size_t looked;            /* headers requested or messages compared, and answered */
    size_t retrieved;         /* RETRs answered */
    size_t deletes;           /* DELEs sent */
    size_t deleted;           /* DELEs answered */
    int64_t deleting;    /* the key of the message at whose DELE the connection was lost, or 0 */
    bool deleting_again; /* an earlier session broke at it, possibly in an earlier run */
    bool may_pipeline;   /* the account does not forbid pipelining */
    bool out_of_time;    /* a limit on the whole session has passed */
    bool pipelined;      /* commands may have shared a window */
    bool at_uidl;        /* UIDL was sent and had not ended */
    bool at_spare_list;  /* LIST was sent after UIDL, and may not be needed */
    bool uidl_refused;   /* UIDL was refused, for the first time */
    bool top_refused;    /* the same of TOP */
    bool at_top;         /* TOP was sent and had not ended */
    unsigned logins;     /* mechanisms that the login tried */
    bool none_in_run;    /* no message has been received in this run */
} p3_evidence;

/* Whether commands are sent one at a time. */
bool p3_trust_goes_in_steps(const p3_trust *t);

/* Whether a message is left out. */
bool p3_trust_sets_aside(const p3_trust *t, uint32_t number);

/* Whether sessions keep breaking when headers are requested. */
bool p3_trust_looks_in_vain(const p3_trust *t);

/* Leaves a message out, unless it is. Returns whether there is room for that. */
bool p3_trust_set_aside(p3_trust *t, uint32_t number);

/* How many messages may be deleted before QUIT, with the server's `known` limit; SIZE_MAX: any
 * number. */
size_t p3_trust_quota(const p3_trust *t, uint32_t known);

/* Sets the care to at least this level. */
void p3_trust_raise(p3_trust *t, p3_caution caution);

/* The end of a visit that used `now`: sets the trust of the `next` and the traits to learn. Returns
 * whether the next visit works in another way, and so is worthwhile. */
bool p3_trust_adapt(const p3_trust *now, p3_trust *next, const p3_evidence *e,
                    pop3_server_traits *learned);

/* The visit reached its end: its way works. `deleted`: it deleted something; `idle`: it was only to
 * delete, and deleted nothing. Returns the traits to learn. */
pop3_server_traits p3_trust_confirm(const p3_trust *now, p3_trust *next, bool deleted, bool idle);

/* Advice if the server closed a visit; NULL: none. */
const char *p3_trust_advice(const p3_trust *now, const p3_trust *next, const p3_evidence *e,
                            bool adapted);

#endif

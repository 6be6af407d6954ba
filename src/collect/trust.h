/* How far a server is trusted, and why: what a visit that it ended teaches the next one of the same
 * run, so that no message, no number of commands and no habit of the server keeps the others from
 * coming for ever. Each way is tried once: one command at a time, QUIT after fewer and fewer
 * deletions, a message left alone. No input or output happens here. */
#ifndef P3_COLLECT_TRUST_H
#define P3_COLLECT_TRUST_H

#include <pop3/traits.h>
#include <pop3/types.h>

#include <stddef.h>

#include "collect/postponed.h"
#include "collect/stage.h"

/* How much care a visit takes, after what has happened in this run. */
typedef enum p3_care {
    P3_CARE_USUAL,
    P3_CARE_TROUBLE, /* messages that often made trouble are left alone */
    P3_CARE_STEPS    /* also, one command at a time, and each message is handed in at once */
} p3_care;

/* Whether commands go one at a time, and what for. */
typedef enum p3_apart {
    P3_APART_NO,
    P3_APART_SILENCE, /* the server fell silent when they came together */
    P3_APART_CLOSE    /* it closed the connection then */
} p3_apart;

/* What a session that broke at a deletion is put down to. */
typedef enum p3_blame {
    P3_BLAME_NONE,    /* no session did */
    P3_BLAME_MESSAGE, /* the message that was to be deleted */
    P3_BLAME_SERVER   /* a habit of the server, whichever the message */
} p3_blame;

/* Where a server closed the connection: after how many answers, and at what. */
typedef struct p3_cut {
    uint64_t answered;
    p3_stage stage;
    uint32_t number; /* the message that it was asked for, or 0 */
} p3_cut;

/* So many visits in a row may be closed without getting anywhere before another way is tried: one
 * may have been the network's fault. */
#define P3_CLOSES 2

/* So many may break when messages are looked at, before none is any more in the run. */
#define P3_LOOKS_MOST 8

/* So many messages are set aside in a run. */
#define P3_ASIDE_MOST 16

/* All zero: a server of which nothing bad is known. */
typedef struct p3_trust {
    p3_care care;
    p3_apart apart;
    bool no_uidl;     /* UIDL is not asked for: the server closed at it, or after refusing it */
    bool no_top;      /* the same of TOP */
    bool no_sizes;    /* LIST is not sent beside UIDL: it ended the visit before */
    unsigned closes;  /* visits in a row that the server closed before they got anywhere */
    uint32_t suspect; /* the message that was in hand when it last did, or 0 */
    unsigned looks; /* visits that broke when messages were looked at that are, or may be, known */
    int64_t proven; /* the row of a message that the visit before looked at, or 0 */
    unsigned quits; /* visits in a row that it closed at QUIT after deletions */
    uint32_t quit_after; /* so QUIT comes after as many, which is not learned yet; 0: no bound */
    unsigned asides;
    uint32_t aside[P3_ASIDE_MOST]; /* messages that are not asked for: sessions ended at them */
    p3_postponed postponed;        /* messages at whose deletion a session broke */
    p3_blame blame;                /* of the last visit's end */
    unsigned deletions_broken;     /* sessions that broke so while commands went together */
    p3_cut deletions;              /* after how many answers the last of them did, */
    size_t deletions_before;       /* and after how many deletions */
    pop3_server_traits traits;     /* what the visits learned about the server */
    p3_cut cut;                    /* where the last visit was closed */
    bool frugal;           /* it closes after a few commands: a visit does one thing with few */
    bool retrieved_none;   /* when it became frugal, no message had come in its visit */
    bool idle;             /* one that was to delete alone deleted nothing */
    const char *mechanism; /* where it is frugal: how the login worked; static */
} p3_trust;

/* How a visit stood when its connection ended. */
typedef struct p3_evidence {
    pop3_status status; /* of what ended */
    p3_stage stage;
    pop3_server_traits known; /* what is known about the server by now */
    const char *mechanism;    /* how the login worked; static */
    uint64_t answered;        /* commands */
    uint32_t in_hand;         /* the message that was asked for, or 0 */
    size_t looked;            /* headers asked for, or messages compared, that were answered */
    size_t retrieved;         /* RETRs that were answered */
    size_t deletes;           /* DELEs that were sent */
    size_t deleted;           /* and answered */
    int64_t deleting;         /* the key of the message at whose DELE it was lost, or 0 */
    bool deleting_again;      /* an earlier session broke at it, maybe of another run */
    bool may_pipeline;        /* the account leaves it to the server */
    bool out_of_time;         /* a bound on the whole session has passed */
    bool pipelined;           /* commands may have shared a window */
    bool at_uidl;             /* UIDL was asked for and had not ended */
    bool at_spare_list;       /* LIST was asked for behind UIDL, and there may be no need of it */
    bool uidl_refused;        /* it was, for the first time */
    bool top_refused;         /* the same of TOP */
    bool at_top;              /* TOP was asked for, and had not ended */
    unsigned logins;          /* mechanisms of the login that were tried */
    bool none_in_run;         /* no message has come in this run */
} p3_evidence;

/* Whether commands go one at a time. */
bool p3_trust_goes_in_steps(const p3_trust *t);

/* Whether a message is set aside. */
bool p3_trust_sets_aside(const p3_trust *t, uint32_t number);

/* Whether sessions keep breaking when messages are looked at. */
bool p3_trust_looks_in_vain(const p3_trust *t);

/* Sets one aside, unless it is. Returns whether there is room for that. */
bool p3_trust_set_aside(p3_trust *t, uint32_t number);

/* How many messages may be deleted before QUIT, where the server's own bound is `known`; SIZE_MAX:
 * any number. */
size_t p3_trust_quota(const p3_trust *t, uint32_t known);

/* From now on at least that much care is taken. */
void p3_trust_raise(p3_trust *t, p3_care care);

/* The end of a visit that went by `now`: what it teaches `next`, and what is to be learned about
 * the server. Returns whether the next visit goes another way, and so is worth while. */
bool p3_trust_adapt(const p3_trust *now, p3_trust *next, const p3_evidence *e,
                    pop3_server_traits *learned);

/* The visit got to its end: what was tried in it works. `deleted`: it deleted something; `idle`: it
 * was to delete and do nothing else, and deleted nothing. Returns what is to be learned. */
pop3_server_traits p3_trust_confirm(const p3_trust *now, p3_trust *next, bool deleted, bool idle);

/* What a person may try where the server closed a visit, which adapted or not; NULL: nothing. */
const char *p3_trust_advice(const p3_trust *now, const p3_trust *next, const p3_evidence *e,
                            bool adapted);

#endif

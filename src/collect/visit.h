/* A visit to one account: one connection, from the secret to what is recorded after QUIT. visit.c
 * is the page that has the whole order of it. What it is made of, from below:
 *   verdict        what was wrong, and whether another visit is worth while
 *   postponed      messages at whose deletion a session broke
 *   trust          how far the server is trusted, and what a visit teaches the next one
 *   report         what is counted and told; remarks has some of its words
 *   maildrop       what the parts share: the listing, what is known of it, the connection
 *   recorder       what is handed in to be recorded
 *   window         many commands of one kind
 *   leftovers      intents that an earlier run left over
 *   authorization  the secret, the connection, the login
 *   lister         UIDL, LIST, and what they do not agree on
 *   looker         headers of doubtful messages
 *   comparer       doubtful messages, to the last octet
 *   filter         the header command
 *   choice         which messages are retrieved
 *   transfer       a message's way, in which work at the same time:
 *     intents        what is recorded before
 *     retriever      RETR
 *     batcher        batches: handed in, delivered, recorded
 *     deleter        DELE, QUIT
 *   sequence       whether replies are those to the commands sent
 *   parts          all of these, introduced to each other
 *   outcome        the verdict, and what is learned, when parts fail or the connection is lost */
#ifndef P3_COLLECT_VISIT_H
#define P3_COLLECT_VISIT_H

#include "collect/run.h"
#include "collect/trust.h"
#include "collect/verdict.h"

/* What the visits to an account in one run leave to the next one. All zero before the first. */
typedef struct p3_history {
    p3_tally tally;
    p3_trust trust;
    int64_t spent_ms; /* by the visits so far, see time_limit.h */
    int64_t first;    /* rows from this id on are of messages that came in this run; 0: not known */
    bool told;        /* that UIDL and LIST do not agree */
} p3_history;

typedef struct p3_visit p3_visit;

/* Makes a visit and begins. Returns NULL when out of memory. */
p3_visit *p3_visit_new(p3_run *run, const p3_account *account, const p3_history *history);

/* Waits for nothing: does what can be done. Returns false when the visit is over. */
bool p3_visit_step(p3_visit *v);

/* Whether something that it waited for has ended, so that it is to be stepped. */
bool p3_visit_is_woken(const p3_visit *v);

/* Its connection, where its sockets are to be polled now; else NULL. */
pop3_client *p3_visit_polls(const p3_visit *v);

/* Ends it soon: after the message in hand. */
void p3_visit_stop(p3_visit *v);

/* Ends it now, though a message is in hand: the run is to end, and nothing more of it comes. */
void p3_visit_abandon(p3_visit *v);

/* What has come so far: octets. */
uint64_t p3_visit_octets(const p3_visit *v);

/* Milliseconds until the visit has taken too long, and p3_visit_step() ends it. */
int64_t p3_visit_patience(const p3_visit *v);

/* When it is over: the verdict on it, whether it got as far as the listing, and what it leaves to
 * the next one. */
const p3_verdict *p3_visit_verdict(const p3_visit *v);
bool p3_visit_has_listed(const p3_visit *v);
void p3_visit_history(const p3_visit *v, p3_history *out);

/* May be called when it is over. */
void p3_visit_free(p3_visit *v);

#endif

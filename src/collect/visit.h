/* A visit to one account: one connection, from the secret to the record after QUIT. visit.c has the
 * whole order on one page. The parts, from below:
 *   verdict          what went wrong, and whether another visit is worthwhile
 *   postponed        messages at whose deletion a session broke
 *   trust            how far the server is trusted, and what the next visit does differently
 *   report           counts and reports; listing_warnings has some of the texts
 *   maildrop         what the parts share: the listing, the known rows, the connection
 *   recorder         hands records to the committer
 *   window           many commands of one kind
 *   leftovers        intents that an earlier run left over
 *   authorization    the secret, the connection, the login
 *   lister           UIDL, LIST, and differences between them
 *   header_reader    headers of doubtful messages
 *   comparer         doubtful messages, compared to the last octet
 *   filter           the filter command
 *   choice           which messages are retrieved
 *   transfer         the way of a message; these work at the same time:
 *     intents          records before the messages are requested
 *     retriever        RETR
 *     batcher          batches: handed in, delivered, recorded
 *     deleter          DELE, QUIT
 *   reply_order      replies that do not match the commands sent
 *   parts            all of these, connected
 *   outcome          the verdict, and what is learned, when parts fail or the connection is lost */
#ifndef P3_COLLECT_VISIT_H
#define P3_COLLECT_VISIT_H

#include "collect/run.h"
#include "collect/trust.h"
#include "collect/verdict.h"

/* What the visits to an account in one run leave to the next one. All zero before the first. */
typedef struct p3_history {
    p3_tally tally;
    p3_trust trust;
    int64_t spent_ms; /* time used by the visits so far, see time_limit.h */
    int64_t first; /* rows from this id on belong to messages received in this run; 0: not known */
    bool told;     /* differences between UIDL and LIST were reported */
} p3_history;

typedef struct p3_visit p3_visit;

/* Creates a visit and begins it. Returns NULL when out of memory. */
p3_visit *p3_visit_new(p3_run *run, const p3_account *account, const p3_history *history);

/* Does what can be done without waiting. Returns false when the visit has ended. */
bool p3_visit_step(p3_visit *v);

/* Whether something that it waited for has ended, so that it must be stepped. */
bool p3_visit_is_woken(const p3_visit *v);

/* Its connection, if its sockets are to be polled now; otherwise NULL. */
pop3_client *p3_visit_polls(const p3_visit *v);

/* Ends it soon: after the current message. */
void p3_visit_stop(p3_visit *v);

/* Ends it at once, within the current message, because the run is to end and no more of it arrives.
 */
void p3_visit_abandon(p3_visit *v);

/* The octets received so far. */
uint64_t p3_visit_octets(const p3_visit *v);

/* Milliseconds until the visit has taken too long, and p3_visit_step() ends it. */
int64_t p3_visit_time_left(const p3_visit *v);

/* When it has ended: the verdict, whether it got as far as the listing, and what it leaves to the
 * next visit. */
const p3_verdict *p3_visit_verdict(const p3_visit *v);
bool p3_visit_has_listed(const p3_visit *v);
void p3_visit_history(const p3_visit *v, p3_history *out);

/* May be called when it has ended. */
void p3_visit_free(p3_visit *v);

#endif

/* What is known about the messages of each account, from one run to the next.
 *
 * The interface is small on purpose: another database is one more file. A handle is used by one
 * thread; several handles may be open on the same state. Every function that can fail returns false
 * and describes the problem. */
#ifndef P3_STATE_STATE_H
#define P3_STATE_STATE_H

#include <pop3/traits.h>
#include <pop3/types.h>

#include "support/calendar.h"
#include "support/fingerprint.h"
#include "support/grow.h"
#include "support/problem.h"

typedef struct p3_state p3_state;

/* Where a message stands. The numbers are stored: never change them. */
typedef enum p3_standing {
    P3_INTENT = 1,    /* it is about to be delivered, under `name` */
    P3_DELIVERED = 2, /* it is delivered and, as far as we know, on the server */
    P3_LEAVING = 3, /* it is delivered; QUIT after its DELE was sent, and may have been lost, or it
                       was found at the target after a crash: its header is compared */
    P3_GONE = 4,    /* it was delivered and is no longer on the server */
    P3_DOUBTED = 5, /* what was delivered may be another message, or a part of this one */
    P3_PASSED_OVER = 6, /* it was on the server when what was there was to count as seen: it is
                           never delivered, and never deleted */
    P3_UNPROVEN = 7     /* an intent, too: what was delivered, which its fingerprints are of, may be
                           another message, or a part of this one, and its header does not tell */
} p3_standing;

/* Whether a message is to be retrieved and delivered. */
static inline bool p3_is_intent(p3_standing standing)
{
    return standing == P3_INTENT || standing == P3_UNPROVEN;
}

/* One message. */
typedef struct p3_row {
    int64_t id; /* within the account, from 1 */
    pop3_str uid;
    const char *name;           /* of an intent: the unique name it gets; else "" */
    int64_t time;               /* seconds since the epoch: delivered, or gone */
    uint64_t octets;            /* as LIST, or else the reply to RETR, gave them; 0: not known */
    p3_fingerprint fingerprint; /* of its header, once delivered, or about to be; else zero */
    p3_fingerprint body; /* of all that follows the header, where it may be needed; or zero */
    p3_standing standing;
    bool common; /* its header does not say which message it is: others may have the same, or it
                    was found at the target after a crash */
    uint16_t members; /* P3_INTENT: those of a list of targets that have it, as bits; else 0 */
    uint32_t tries;   /* times it could not be retrieved or delivered; once delivered: came back */
    int64_t broke;    /* seconds since the epoch: a session last broke at its deletion; 0: none did,
                         or so long ago that it does not count */
} p3_row;

/* All messages of an account. */
typedef struct p3_rows {
    p3_row *at;
    size_t count;
    p3_room room;
    int64_t next_id;
    char *text; /* what the uids and names of loaded rows point into */
} p3_rows;

/* An account, as stored. */
typedef struct p3_known_account {
    int64_t id;   /* from 1 */
    char *target; /* where what is known of it was delivered, or was to be; NULL: nowhere yet */
    pop3_server_traits traits; /* what was learned about its server, as far as it still counts */
    p3_seen seen;              /* of the machine's clock */
} p3_known_account;

/* A trait of an account's server that was learned, and counts until it expires. */
typedef struct p3_learned {
    pop3_server_traits trait; /* one */
    int64_t learned;          /* seconds since the epoch */
    int64_t expires;
} p3_learned;

/* Messages of an account at whose deletion sessions broke, as far as that still counts. */
typedef struct p3_broken {
    uint64_t count;
    int64_t last;    /* when the last of them did, */
    int64_t expires; /* and how long that counts: seconds since the epoch */
} p3_broken;

/* As many as there can be for an account: a flag each, and the limit. */
#define P3_LEARNED_MOST 33

/* SQLite is this process's own: its handles are made small, and files are opened and removed from
 * outside of the sandbox where that has no right to their directory. To be called before the first
 * state is opened, in a program whose other parts do not use SQLite. */
void p3_state_own_sqlite(void);

/* Opens a state, making it when there is none. */
p3_state *p3_state_open(const char *path, p3_problem *why);

/* The same for who only looks: one that is not there is empty, and an account that is not in it has
 * the id 0 and no messages. It is not to be locked or changed. */
p3_state *p3_state_open_to_look(const char *path, p3_problem *why);

/* NULL does nothing. */
void p3_state_close(p3_state *s);

/* Finds an account by its key, or adds it. Free with p3_known_account_clear(). */
bool p3_state_account(p3_state *s, const char *key, p3_known_account *out, p3_problem *why);
void p3_known_account_clear(p3_known_account *a);

/* What was learned about an account's server, as far as it still counts: up to P3_LEARNED_MOST. */
bool p3_state_learned(p3_state *s, int64_t account, p3_learned *out, size_t *count,
                      p3_problem *why);

/* How many messages of an account sessions broke at when they were deleted. */
bool p3_state_broken(p3_state *s, int64_t account, p3_broken *out, p3_problem *why);

/* Loads the messages of an account. Free with p3_rows_free(). */
bool p3_state_load(p3_state *s, int64_t account, p3_rows *out, p3_problem *why);
void p3_rows_free(p3_rows *rows);

/* No index of a row: there are never so many. */
#define P3_NO_ROW UINT32_MAX

/* Adds a row with the next id. Returns its index, or P3_NO_ROW when out of memory. */
uint32_t p3_rows_add(p3_rows *rows, pop3_str uid);

/* Changes are made in a transaction; they are on the disk when p3_state_commit() has returned true.
 * After a failure the transaction is rolled back. */
bool p3_state_begin(p3_state *s, p3_problem *why);
bool p3_state_put(p3_state *s, int64_t account, const p3_row *row, p3_problem *why);
bool p3_state_forget(p3_state *s, int64_t account, int64_t id, p3_problem *why);
/* NULL, which is what memory ran out for, fails. */
bool p3_state_set_target(p3_state *s, int64_t account, const char *target, p3_problem *why);
/* Records what was learned about the account's server. It counts for a week, as servers get mended;
 * that commands go one at a time for a day, as a line that was interrupted looks the same. */
bool p3_state_learn(p3_state *s, int64_t account, pop3_server_traits learned, p3_problem *why);
/* Records what was seen of the clock. */
bool p3_state_see(p3_state *s, int64_t account, p3_seen seen, p3_problem *why);
bool p3_state_commit(p3_state *s, p3_problem *why);

/* Makes sure that all that was read is on the disk: what a run that was killed has written may not
 * be, although every other run sees it. To be called before anything is removed that tells the
 * same. */
bool p3_state_sync(p3_state *s, p3_problem *why);

/* Keeps other runs away from an account until the handle is closed. Returns false with an exit
 * status of EX_TEMPFAIL when another has it. */
bool p3_state_lock(p3_state *s, int64_t account, p3_problem *why);
void p3_state_unlock(p3_state *s, int64_t account);

#endif

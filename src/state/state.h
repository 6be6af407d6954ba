/* What is known about the messages of each account, from one run to the next.
 *
 * The interface is small, so that another database is one more file. A handle is used by one
 * thread; several handles may be open on the same state. Every function that can fail returns false
 * with the problem. */
#ifndef P3_STATE_STATE_H
#define P3_STATE_STATE_H

#include <pop3/traits.h>
#include <pop3/types.h>

#include "support/calendar.h"
#include "support/fingerprint.h"
#include "support/grow.h"
#include "support/problem.h"

typedef struct p3_state p3_state;

/* The standing of a message. The numbers are stored: never change them. */
typedef enum p3_standing {
    P3_INTENT = 1,    /* about to be delivered under `name` */
    P3_DELIVERED = 2, /* delivered and, as far as we know, on the server */
    P3_LEAVING = 3,   /* delivered; QUIT after its DELE was sent, and may have been lost, or it was
                         found at the target after a crash: its header is compared */
    P3_GONE = 4,      /* delivered, and not on the server any more */
    P3_DOUBTED = 5,   /* what was delivered may be another message, or a part of this one */
    P3_PASSED_OVER = 6, /* it counts as seen: never delivered, never deleted */
    P3_UNPROVEN = 7     /* an intent; what was delivered, which its fingerprints describe, may be
                           another message, or a part of this one, and its header does not tell */
} p3_standing;

/* Whether a message must be retrieved and delivered. */
static inline bool p3_is_intent(p3_standing standing)
{
    return standing == P3_INTENT || standing == P3_UNPROVEN;
}

/* One message. */
typedef struct p3_row {
    int64_t id; /* within the account, from 1 */
    pop3_str uid;
    const char *name;           /* of an intent: its unique name; otherwise "" */
    int64_t time;               /* seconds since the epoch: when it was delivered, or was gone */
    uint64_t octets;            /* from LIST, or else from the reply to RETR; 0: not known */
    p3_fingerprint fingerprint; /* of its header, once it is (about to be) delivered; else zero */
    p3_fingerprint body;        /* of everything after the header, if it may be needed; or zero */
    p3_standing standing;
    bool common; /* its header does not identify it: others may have the same, or it was found at
                    the target after a crash */
    uint16_t
        members;    /* P3_INTENT: the members of a list of targets that have it, as bits; else 0 */
    uint32_t tries; /* how often it could not be retrieved or delivered; once delivered: how often
                       it reappeared */
    int64_t broke;  /* seconds since the epoch: when a session last broke at its deletion; 0: never,
                       or too long ago to count */
} p3_row;

/* All messages of an account. */
typedef struct p3_rows {
    p3_row *at;
    size_t count;
    p3_room room;
    int64_t next_id;
    char *text; /* contains the uids and names of loaded rows */
} p3_rows;

/* An account in the state. */
typedef struct p3_known_account {
    int64_t id;                /* from 1 */
    char *target;              /* the target to which the rows apply; NULL: none yet */
    pop3_server_traits traits; /* learned traits of its server that have not expired */
    p3_clock_record seen;      /* of the machine's clock */
} p3_known_account;

/* A learned trait of an account's server. */
typedef struct p3_learned {
    pop3_server_traits trait; /* one */
    int64_t learned;          /* seconds since the epoch */
    int64_t expires;
} p3_learned;

/* Messages of an account at whose deletion sessions broke, if that has not expired. */
typedef struct p3_broken {
    uint64_t count;
    int64_t last;    /* when the last of them broke, */
    int64_t expires; /* and when that expires: seconds since the epoch */
} p3_broken;

/* The most that an account can have: one for each flag, and the limit. */
#define P3_LEARNED_MOST 33

/* SQLite belongs to this process alone: its handles are made small, and files are opened and
 * removed outside of the sandbox if it has no access to their directory. To be called before the
 * first state is opened, in a program whose other parts do not use SQLite. */
void p3_state_own_sqlite(void);

/* Opens a state, creating it if it does not exist. */
p3_state *p3_state_open(const char *path, p3_problem *why);

/* The same for reading only: a missing state is empty, and an unknown account has the id 0 and no
 * messages. It must not be locked or changed. */
p3_state *p3_state_open_to_look(const char *path, p3_problem *why);

/* NULL does nothing. */
void p3_state_close(p3_state *s);

/* Finds an account by its key, or adds it. Free with p3_known_account_clear(). */
bool p3_state_account(p3_state *s, const char *key, p3_known_account *out, p3_problem *why);
void p3_known_account_clear(p3_known_account *a);

/* The learned traits of an account's server that have not expired: up to P3_LEARNED_MOST. */
bool p3_state_learned(p3_state *s, int64_t account, p3_learned *out, size_t *count,
                      p3_problem *why);

/* The number of messages of an account at whose deletion sessions broke. */
bool p3_state_broken(p3_state *s, int64_t account, p3_broken *out, p3_problem *why);

/* Loads the messages of an account. Free with p3_rows_free(). */
bool p3_state_load(p3_state *s, int64_t account, p3_rows *out, p3_problem *why);
void p3_rows_free(p3_rows *rows);

/* Not the index of a row: there are never that many. */
#define P3_NO_ROW UINT32_MAX

/* Adds a row with the next id. Returns its index, or P3_NO_ROW when out of memory. */
uint32_t p3_rows_add(p3_rows *rows, pop3_str uid);

/* Changes are made in a transaction, which is on the disk when p3_state_commit() has returned true.
 * After a failure it is rolled back. */
bool p3_state_begin(p3_state *s, p3_problem *why);
bool p3_state_put(p3_state *s, int64_t account, const p3_row *row, p3_problem *why);
bool p3_state_forget(p3_state *s, int64_t account, int64_t id, p3_problem *why);
/* NULL, after an allocation has failed, fails. */
bool p3_state_set_target(p3_state *s, int64_t account, const char *target, p3_problem *why);
/* Records learned traits of the account's server. They expire after a week, because servers are
 * repaired; "one command at a time" after a day, because an interrupted line looks the same. */
bool p3_state_learn(p3_state *s, int64_t account, pop3_server_traits learned, p3_problem *why);
/* Records what was observed about the clock. */
bool p3_state_see(p3_state *s, int64_t account, p3_clock_record seen, p3_problem *why);
bool p3_state_commit(p3_state *s, p3_problem *why);

/* Makes everything that was read durable: what a killed run has written may not be on the disk,
 * although every other run sees it. To be called before other evidence of the same is removed. */
bool p3_state_sync(p3_state *s, p3_problem *why);

/* Locks an account against other runs until the handle is closed. Returns false with an exit status
 * of EX_TEMPFAIL when another run has it. */
bool p3_state_lock(p3_state *s, int64_t account, p3_problem *why);
void p3_state_unlock(p3_state *s, int64_t account);

#endif

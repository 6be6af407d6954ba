/* Delivering mail: one interface, and a class for each kind of target (see target.h).
 *
 * A message is written by the thread that owns the network, and is then a parcel: complete, but not
 * yet delivered. Parcels are delivered in batches by another thread, which waits for the disk. */
#ifndef P3_DELIVER_DELIVERY_H
#define P3_DELIVER_DELIVERY_H

#include <stddef.h>
#include <stdint.h>

#include "deliver/left_over.h"
#include "deliver/message_names.h"
#include "deliver/owner.h"
#include "deliver/server_options.h"
#include "support/fingerprint.h"
#include "support/problem.h"

struct p3_gmail_options;
struct pop3_target;

/* To whom messages are sent, where a target does that. */
typedef struct p3_envelope {
    const char *recipient;
    const char *sender;        /* "" for nobody; NULL: the one that is found in the message */
    struct p3_recipients *map; /* where they go by their headers, `recipient` being the one for what
                                  fits nobody; NULL: all to him. The account's, which frees it */
    const char *refused;       /* the Maildir for messages that the target refuses for good */
    const char *aside; /* that for recipients who did not get what others got; NULL: the same */
    const struct p3_gmail_options *gmail; /* what Gmail needs beside that; or NULL */
    const struct p3_imap_options *imap;   /* for such a target; or NULL */
    const struct p3_server_options *smtp; /* the same */
    p3_lmtp_options lmtp;
    const struct pop3_target *callbacks; /* of libpop3-collect's caller; or NULL */
} p3_envelope;

/* The header field that tells a message that was sent once from one that was sent again. */
#define P3_DELIVERY_FIELD "X-POP3-Delivery"

/* A message that has been written. */
typedef struct p3_parcel {
    const char *name;      /* the unique name it gets; owned by who made the batch */
    size_t entry;          /* which message of the session it is */
    uint64_t octets;       /* as written */
    bool again;            /* an earlier run may have delivered it, under the same name */
    p3_fingerprint header; /* of what came, without what we add; where the class has prints */
    p3_fingerprint body;   /* the same, of any size */
    p3_fingerprint kept;   /* of the body, what is remembered of it once it is delivered; or zero */
    int fd;                /* command: the message to be read; else -1 */
    char *sender;          /* command, LMTP: who sent it; free() it */
    void *own;             /* callbacks: the message that is the caller's */
    bool ended;            /* callbacks: it has been committed, or tried to be */
    uint16_t members;      /* of a list: those that have it, as bits; see list_delivery.h */
    bool delivered;        /* set by deliver() */
    p3_problem *problem; /* set by deliver() when it was not, and the reason is this message's own;
                            or when it was, but elsewhere, which is to be told; free() it */
} p3_parcel;

typedef struct p3_delivery p3_delivery;

/* Parcels for one target that are delivered together. */
typedef struct p3_batch {
    p3_delivery *to;
    p3_parcel *parcels;
    size_t count;
    void *spool;        /* the class's own, see seal() */
    p3_problem problem; /* set by deliver() when the target fails: no parcel of it counts then */
    p3_problem stopped; /* set by deliver() when the target fails, and parcels that are marked as
                           delivered count all the same */
    p3_problem noted;   /* set by deliver() when it is to be told, and the run goes on */
} p3_batch;

typedef void (*p3_piece_fn)(void *ctx, const char *data, size_t len);

typedef struct p3_delivery_class {
    bool slow;   /* deliver() may take any time: it runs in a thread of its own */
    bool alone;  /* a batch is one message, and the next is not begun before it is over */
    bool prints; /* parcels have their fingerprints, and these are recorded before deliver(): after
                    a crash it finds what was delivered by its name, and can't read it back */
    /* Of a list: which of it have the message that begins next, or are not to have it now. Returns
     * false when nobody is left to take it. May be NULL. */
    bool (*spare)(p3_delivery *d, uint16_t members, uint16_t barred);
    /* The header of the message that begin() is called for next, as much of it as is kept; `left`
     * is the only one of its recipients who has not got it yet, or NULL. May be NULL. */
    void (*address)(p3_delivery *d, const char *header, size_t len, const char *left);
    /* Begins a message, sent by `sender` (""  for nobody). Then come write() with its octets, and
     * finish(), which fills the parcel in; or abandon() at any time, also after a failure. */
    bool (*begin)(p3_delivery *d, const char *name, const char *sender, p3_problem *why);
    bool (*write)(p3_delivery *d, const char *data, size_t len, p3_problem *why);
    bool (*finish)(p3_delivery *d, p3_parcel *out, p3_problem *why);
    void (*abandon)(p3_delivery *d);
    /* Throws finished messages away that are in no batch yet. May be NULL. */
    void (*discard)(p3_delivery *d, const p3_parcel *parcels, size_t count);
    /* A batch is complete: what is begun from now on belongs to the next. May be NULL. */
    void (*seal)(p3_delivery *d, p3_batch *batch);
    /* Delivers a batch. When it returns, what is marked as delivered is on the disk and in its
     * place. Runs in another thread, while further messages are written. */
    void (*deliver)(p3_batch *batch);
    /* The same of batches of this class, with what they wait for in common. May be NULL. */
    void (*deliver_all)(p3_batch **batches, size_t count);
    /* What came of a batch is recorded, or (`batch` is NULL) what settle() found: no trace of it is
     * needed any more. Also called for batches whose problem kept them from being recorded, with
     * `kept` false. May be NULL. */
    void (*recorded)(p3_delivery *d, p3_batch *batch, bool kept);
    /* Finds out which intents were delivered before a crash, sees to it that those are on the disk,
     * and cleans up after the others. May sort them. A list describes a problem also where it
     * returns true: some could not be asked. NULL: nobody can be asked, and they come again. */
    bool (*settle)(p3_delivery *d, p3_left_over *at, size_t count, p3_problem *why);
    /* Takes over what settle() of another delivery to the same target has found and said of none.
     * May be NULL. */
    void (*inherit)(p3_delivery *d, p3_delivery *settled);
    /* Hands a message that was delivered to a function, in pieces; nothing when it is somewhere
     * else by now. False, with errno, when it cannot be read. NULL where parcels have prints. */
    bool (*read_back)(p3_delivery *d, const char *name, p3_piece_fn take, void *ctx);
    /* Of folders of one target: it shares with the first of them what it can, such as the
     * connection; they are never at work at once, and it is closed before. May be NULL. */
    void (*join)(p3_delivery *d, p3_delivery *first);
    void (*close)(p3_delivery *d);
} p3_delivery_class;

struct p3_delivery {
    const p3_delivery_class *class;
    p3_owner owner;     /* of files beside the target */
    bool among_folders; /* of one target: what is kept as refused may be another's refusal */
};

static inline bool p3_delivery_settle(p3_delivery *d, p3_left_over *at, size_t count,
                                      p3_problem *why)
{
    return d->class->settle == NULL || d->class->settle(d, at, count, why);
}

#endif

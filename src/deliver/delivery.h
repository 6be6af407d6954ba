/* Delivering mail: one interface, and a class for each kind of target (see target.h).
 *
 * The thread that owns the network writes a message, which is then a parcel: complete, but not
 * delivered. Another thread, which waits for the disk, delivers parcels in batches. */
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

/* The addresses of a message, for targets that send it. */
typedef struct p3_envelope {
    const char *recipient;
    const char *sender; /* "" for the null sender; NULL: the one in the message */
    struct p3_recipients
        *map; /* the recipients by the message's header, with `recipient` for messages that match
                 none; NULL: `recipient` gets all. The account frees it */
    const char *refused; /* the Maildir for messages that the target refuses permanently */
    const char *aside; /* the one for recipients who did not get what others got; NULL: the same */
    const struct p3_gmail_options *gmail; /* further options for Gmail; or NULL */
    const struct p3_imap_options *imap;   /* options for IMAP; or NULL */
    const struct p3_server_options *smtp; /* options for SMTP; or NULL */
    p3_lmtp_options lmtp;
    const struct pop3_target *callbacks; /* callbacks of libpop3-collect's caller; or NULL */
} p3_envelope;

/* The header field with the name of the intent, by which a message is found that was sent before.
 */
#define P3_DELIVERY_FIELD "X-POP3-Delivery"

/* Follows the name of a message that a retry has put into a folder. */
#define P3_RETRIED " again"

/* A message that has been written. */
typedef struct p3_parcel {
    const char *name; /* its unique name; belongs to the maker of the batch */
    size_t entry;     /* the index of the message in the session */
    uint64_t octets;  /* as written */
    bool again;       /* an earlier run may have delivered it under the same name */
    p3_fingerprint
        header;          /* of the received message, without added lines; if the class has prints */
    p3_fingerprint body; /* the same of the body, of any size */
    p3_fingerprint kept; /* of the body, as recorded after the delivery; or zero */
    int fd;              /* command: the message to read; else -1 */
    char *sender;        /* command, LMTP: the sender; free() it */
    void *own;           /* callbacks: the message of the caller */
    bool ended;          /* callbacks: it has been committed, or the commit has failed */
    uint16_t members;    /* of a list: the members that have it, as bits; see list_delivery.h */
    bool delivered;      /* set by deliver() */
    p3_problem *problem; /* set by deliver() if it was not delivered for a reason of its own, or was
                            delivered elsewhere, which is to be reported; free() it */
} p3_parcel;

typedef struct p3_delivery p3_delivery;

/* Parcels for one target that are delivered together. */
typedef struct p3_batch {
    p3_delivery *to;
    p3_parcel *parcels;
    size_t count;
    void *spool;        /* belongs to the class, see seal() */
    p3_problem problem; /* set by deliver() when the target fails: no parcel counts as delivered */
    p3_problem stopped; /* set by deliver() when the target fails, but parcels that are marked as
                           delivered count */
    p3_problem noted; /* set by deliver() for a problem that is reported while the run continues */
} p3_batch;

typedef void (*p3_piece_fn)(void *ctx, const char *data, size_t len);

typedef struct p3_delivery_class {
    bool slow;   /* deliver() may take any time: it runs in a separate thread */
    bool alone;  /* a batch is one message, and ends before the next one begins */
    bool prints; /* parcels have their fingerprints, which are recorded before deliver(): after a
                    crash the target finds messages by name, but cannot read them back */
    /* Of a list: the members that have the next message, and those that must not get it now.
     * Returns false when no member is left. May be NULL. */
    bool (*spare)(p3_delivery *d, uint16_t members, uint16_t barred);
    /* The header of the next message for begin(), as much as is kept; `left` is the only one of its
     * recipients that lacks it, or NULL. May be NULL. */
    void (*address)(p3_delivery *d, const char *header, size_t len, const char *left);
    /* Begins a message from `sender` ("" for the null sender). write() follows with its octets, and
     * finish(), which fills in the parcel; or abandon() at any time, also after a failure. */
    bool (*begin)(p3_delivery *d, const char *name, const char *sender, p3_problem *why);
    bool (*write)(p3_delivery *d, const char *data, size_t len, p3_problem *why);
    bool (*finish)(p3_delivery *d, p3_parcel *out, p3_problem *why);
    void (*abandon)(p3_delivery *d);
    /* Discards finished messages that are in no batch. May be NULL. */
    void (*discard)(p3_delivery *d, const p3_parcel *parcels, size_t count);
    /* A batch is complete: messages begun later belong to the next one. May be NULL. */
    void (*seal)(p3_delivery *d, p3_batch *batch);
    /* Delivers a batch. When it returns, parcels that are marked as delivered are durable and in
     * their place. Runs in another thread while further messages are written. */
    void (*deliver)(p3_batch *batch);
    /* The same for several batches of this class, sharing the waits. May be NULL. */
    void (*deliver_all)(p3_batch **batches, size_t count);
    /* The result of a batch, or (`batch` is NULL) of settle(), has been recorded: its traces can be
     * removed. Also called, with `kept` false, for batches that could not be recorded because of a
     * problem. May be NULL. */
    void (*recorded)(p3_delivery *d, p3_batch *batch, bool kept);
    /* Finds out which intents were delivered before a crash, makes those durable, and cleans up
     * after the others. May sort them. A list also describes a problem when it returns true: some
     * members could not be asked. NULL: the target cannot be asked, and the messages are delivered
     * again. */
    bool (*settle)(p3_delivery *d, p3_left_over *at, size_t count, p3_problem *why);
    /* Takes over the intents that settle() of another delivery to the same target did not find. May
     * be NULL. */
    void (*inherit)(p3_delivery *d, p3_delivery *settled);
    /* Passes a delivered message to a function, in pieces; nothing if it has been moved since.
     * False, with errno, when it cannot be read. NULL if parcels have prints. */
    bool (*read_back)(p3_delivery *d, const char *name, p3_piece_fn take, void *ctx);
    /* For folders of one target: shares with the first of them what it can, such as the connection.
     * They never work at the same time, and are closed before the first. May be NULL. */
    void (*join)(p3_delivery *d, p3_delivery *first);
    void (*close)(p3_delivery *d);
} p3_delivery_class;

struct p3_delivery {
    const p3_delivery_class *class;
    p3_owner owner;     /* of files that belong to the target */
    bool among_folders; /* one folder of a target: a refused message may be another folder's */
    bool retries;       /* delivers what was refused before: its messages may follow newer ones */
};

static inline bool p3_delivery_settle(p3_delivery *d, p3_left_over *at, size_t count,
                                      p3_problem *why)
{
    return d->class->settle == NULL || d->class->settle(d, at, count, why);
}

#endif

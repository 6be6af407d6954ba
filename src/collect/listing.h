/* The mailbox as the server lists it, and what was found out about each message. No input or output
 * happens here. */
#ifndef P3_COLLECT_LISTING_H
#define P3_COLLECT_LISTING_H

#include "state/state.h"

#define P3_SIZE_UNKNOWN POP3_OCTETS_UNKNOWN

typedef enum p3_todo {
    P3_TODO_NOTHING = 0,
    P3_TODO_LOOK, /* fetch its header: it is doubtful whether it is known */
    P3_TODO_TAKE, /* new: retrieve it */
    P3_TODO_KEEP, /* known and delivered */
    P3_TODO_MATCH /* it came whole, and is not that of its row: find another row */
} p3_todo;

/* What has come of a message in this session. */
typedef enum p3_came {
    P3_CAME_NOT = 0,
    P3_CAME_AGAIN,       /* as it was delivered in doubt, to the last octet */
    P3_CAME_SIZED,       /* with as many octets as were announced */
    P3_CAME_UNANNOUNCED, /* nobody said how many there are */
    P3_CAME_OTHER        /* with another number */
} p3_came;

/* Whether a message that is kept is that of its row, and so may be deleted. */
typedef enum p3_certainty {
    P3_UNCERTAIN = 0,  /* it is compared first */
    P3_CERTAIN_LISTED, /* for all that the listing says: its header is looked at first */
    P3_CERTAIN
} p3_certainty;

/* A message in the mailbox. */
typedef struct p3_mail {
    uint32_t number;
    uint32_t row; /* what is known of it: index among the rows, or P3_NO_ROW */
    pop3_str uid;
    uint64_t octets; /* P3_SIZE_UNKNOWN: not asked */
    p3_todo todo;
    p3_came came;
    p3_certainty certain; /* P3_TODO_KEEP */
    bool remove;          /* to be deleted on the server in this session */
    bool marked;          /* +OK to its DELE */
    bool sized;           /* LIST has it */
    bool unsure;          /* its size does not tell that it is the one that was asked for */
    bool leaves;          /* DELE was sent, or is about to be */
    bool only_listed;     /* and UIDL has not, though it has others */
} p3_mail;

/* What was seen of a message that was looked at. */
typedef struct p3_look {
    p3_fingerprint print; /* of its header; zero until it is known */
    p3_fingerprint body;  /* P3_TODO_MATCH */
    bool distinctive;     /* no other message has that header: it has a Message-ID or a Received */
} p3_look;

/* No more messages are believed that LIST has, and UIDL has not: a listing may be nonsense. */
#define P3_NAMELESS_MOST 1000

/* The mailbox as the server lists it. */
typedef struct p3_listing {
    p3_mail *at;
    size_t count;
    p3_room room;
    bool unordered;       /* numbers do not go up */
    bool sealed;          /* all are there */
    bool numbered;        /* each unique-id is nothing but the message's number, as it seems */
    bool has_gaps;        /* there are numbers above that of messages: some are not listed */
    bool has_nameless;    /* some messages have no unique-id */
    uint32_t *by_number;  /* indices in the order of numbers; NULL when they are in order */
    size_t named;         /* the first so many UIDL has; those behind them only LIST has, */
    size_t nameless_most; /* of as many: no more than P3_NAMELESS_MOST are kept */
    p3_look *looks;       /* of messages that were looked at; NULL when none was */
    char *text;           /* the unique-ids */
    size_t text_used;
    p3_room text_room;
} p3_listing;

/* Adds a message. Returns false when out of memory, or when there is no end to it. Unique-ids are
 * valid after p3_listing_seal(). */
bool p3_listing_add(p3_listing *box, uint32_t number, pop3_str uid);

/* The listing is complete. Of a message that it names more than once, the first entry counts. Does
 * nothing when it was called before. Returns false when out of memory. */
bool p3_listing_seal(p3_listing *box);

/* Sets the size of a message; one that is not listed is added behind the others, without a
 * unique-id. The box is sealed. Returns false when out of memory. */
bool p3_listing_size(p3_listing *box, uint32_t number, uint64_t octets);

/* LIST is complete as well: messages that were added have their places. Returns false when out of
 * memory. */
bool p3_listing_adopt(p3_listing *box);

void p3_listing_free(p3_listing *box);

/* What was seen of a message: zero until it is set. Setting it returns false when out of memory. */
p3_look p3_listing_look(const p3_listing *box, size_t i);
bool p3_listing_set_look(p3_listing *box, size_t i, p3_look look);

/* Orders unique-ids, in any way. */
int p3_compare_uids(pop3_str a, pop3_str b);

/* Indices of `count` elements in an order by `compare`, which is handed two indices and `base`; no
 * two compare as equal. NULL when out of memory. */
uint32_t *p3_make_order(void *base, size_t count,
                        int (*compare)(const void *, const void *, void *));

#endif

/* The listing of the mailbox, and what was found out about each message. Pure functions. */
#ifndef P3_COLLECT_LISTING_H
#define P3_COLLECT_LISTING_H

#include "state/state.h"

#define P3_SIZE_UNKNOWN POP3_OCTETS_UNKNOWN

typedef enum p3_todo {
    P3_TODO_NOTHING = 0,
    P3_TODO_READ_HEADER, /* request its header: it is doubtful whether it is known */
    P3_TODO_RETRIEVE,    /* new: retrieve it */
    P3_TODO_KEEP,        /* known and delivered */
    P3_TODO_MATCH /* retrieved completely, but not the message of its row: find another row */
} p3_todo;

/* How a message compares with what was expected when it was received. */
typedef enum p3_came {
    P3_CAME_NOT = 0,
    P3_CAME_AGAIN,       /* equal to the last octet to what was delivered in doubt */
    P3_CAME_SIZED,       /* has the announced number of octets */
    P3_CAME_UNANNOUNCED, /* no number of octets was announced */
    P3_CAME_OTHER        /* has another number of octets */
} p3_came;

/* Whether a kept message is certainly the one of its row, and may be deleted. */
typedef enum p3_certainty {
    P3_UNCERTAIN = 0,  /* it must be compared first */
    P3_CERTAIN_LISTED, /* as far as the listing shows: its header must be checked first */
    P3_CERTAIN
} p3_certainty;

/* A message in the mailbox. */
typedef struct p3_mail {
    uint32_t number;
    uint32_t row; /* its index among the known rows, or P3_NO_ROW */
    pop3_str uid;
    uint64_t octets; /* P3_SIZE_UNKNOWN: not requested */
    p3_todo todo;
    p3_came came;
    p3_certainty certain; /* with P3_TODO_KEEP */
    bool remove;          /* delete it on the server in this session */
    bool marked;          /* the server answered DELE with +OK */
    bool sized;           /* it is in LIST */
    bool unsure;          /* its size does not prove that it is the requested message */
    bool leaves;          /* DELE was sent, or is about to be sent */
    bool only_listed;     /* it is not in UIDL, which lists others */
} p3_mail;

/* What was found out about a message by requesting its header. */
typedef struct p3_look {
    p3_fingerprint print; /* fingerprint of the header; zero: not known */
    p3_fingerprint body;  /* fingerprint of the body, with P3_TODO_MATCH; otherwise see `since` */
    int64_t since;    /* with P3_TODO_RETRIEVE, if it is not 0: when a message was delivered that
                         has this unique-id, this body and another header */
    bool distinctive; /* it has a Message-ID or a Received field, so no other message has this
                         header */
} p3_look;

/* The most messages that are accepted in LIST but not in UIDL, as a listing may be nonsense. */
#define P3_NAMELESS_MOST 1000

/* The mailbox as the server lists it. */
typedef struct p3_listing {
    p3_mail *at;
    size_t count;
    p3_room room;
    bool unordered;       /* the numbers are not ascending */
    bool sealed;          /* the listing is complete */
    bool numbered;        /* every unique-id seems to be the message's number */
    bool has_gaps;        /* some numbers are missing */
    bool has_nameless;    /* some messages have no unique-id */
    uint32_t *by_number;  /* indices sorted by number; NULL: they are in order */
    size_t named;         /* the first `named` messages are in UIDL, the others only in LIST */
    size_t nameless_most; /* the most messages that are only in LIST: at most P3_NAMELESS_MOST */
    p3_look *looks;       /* for messages whose headers were requested; NULL: none */
    char *text;           /* the unique-ids */
    size_t text_used;
    p3_room text_room;
} p3_listing;

/* Adds a message. Returns false when out of memory, or when the listing is too long. Unique-ids are
 * valid after p3_listing_seal(). */
bool p3_listing_add(p3_listing *box, uint32_t number, pop3_str uid);

/* Completes the listing. If it has a message more than once, the first entry counts. Further calls
 * do nothing. Returns false when out of memory. */
bool p3_listing_seal(p3_listing *box);

/* Sets the size of a message. A message that is not in the listing is added at the end, without a
 * unique-id. The listing must be sealed. Returns false when out of memory. */
bool p3_listing_size(p3_listing *box, uint32_t number, uint64_t octets);

/* LIST is complete as well: sorts in the messages that were added. Returns false when out of
 * memory. */
bool p3_listing_adopt(p3_listing *box);

void p3_listing_free(p3_listing *box);

/* What was found out about a message; zero until it is set. Setting it returns false when out of
 * memory. */
p3_look p3_listing_look(const p3_listing *box, size_t i);
bool p3_listing_set_look(p3_listing *box, size_t i, p3_look look);

/* A total order of unique-ids. */
int p3_compare_uids(pop3_str a, pop3_str b);

/* Returns indices of `count` elements, sorted by `compare`, which gets two indices and `base` and
 * never returns 0. NULL when out of memory; free() it. */
uint32_t *p3_make_order(void *base, size_t count,
                        int (*compare)(const void *, const void *, void *));

#endif

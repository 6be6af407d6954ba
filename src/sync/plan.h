/* What to do with each message of a mailbox, given what is known of it. No input or output happens
 * here.
 *
 * A unique-id that occurs once in the listing and once among the rows, for a message delivered and
 * not deleted by us, is believed. Everything else is doubtful and is looked at: unique-ids that
 * occur twice, that come back after their message had gone, or whose deletion was never confirmed;
 * messages delivered in a session that fell out of step (session_step.c);
 * servers without UIDL (all unique-ids empty); servers that renumber, or have UIDL again (none of
 * the unique-ids that ought to be there is). Looking at a message means to fetch its header and
 * compare its fingerprint. */
#ifndef P3_SYNC_PLAN_H
#define P3_SYNC_PLAN_H

#include "sync/state.h"

#define P3_SIZE_UNKNOWN POP3_OCTETS_UNKNOWN

/* How long it is remembered that a message has gone, in case its unique-id comes back. */
#define P3_GONE_SECONDS ((int64_t)90 * 24 * 3600)

typedef enum p3_todo {
    P3_TODO_NOTHING = 0,
    P3_TODO_LOOK, /* fetch its header: it is doubtful whether it is known */
    P3_TODO_TAKE, /* new: retrieve it */
    P3_TODO_KEEP  /* known and delivered */
} p3_todo;

/* What has come of a message in this session. */
typedef enum p3_came {
    P3_CAME_NOT = 0,
    P3_CAME_SIZED, /* with as many octets as were announced */
    P3_CAME_OTHER  /* with another number, or none was announced */
} p3_came;

/* A message in the mailbox. */
typedef struct p3_mail {
    uint32_t number;
    uint32_t row; /* what is known of it: index among the rows, or P3_NO_ROW */
    pop3_str uid;
    uint64_t octets; /* P3_SIZE_UNKNOWN: not asked */
    p3_todo todo;
    bool remove; /* to be deleted on the server in this session */
    bool marked; /* +OK to its DELE */
    p3_came came;
} p3_mail;

/* The mailbox as the server lists it. */
typedef struct p3_mailbox {
    p3_mail *at;
    size_t count;
    p3_room room;
    bool unordered;         /* numbers do not go up */
    p3_fingerprint *prints; /* of messages that were looked at; NULL when none was */
    char *text;             /* the unique-ids */
    size_t text_used;
    p3_room text_room;
} p3_mailbox;

/* Adds a message. Returns false when out of memory, or when there is no end to it. Unique-ids are
 * valid after p3_mailbox_seal(). */
bool p3_mailbox_add(p3_mailbox *box, uint32_t number, pop3_str uid);

/* The listing is complete. Of a message that it names more than once, the first entry counts.
 * Returns false when out of memory. */
bool p3_mailbox_seal(p3_mailbox *box);

/* Sets the size of a message that is listed, in a listing that is in order; others are ignored. */
void p3_mailbox_size(p3_mailbox *box, uint32_t number, uint64_t octets);
void p3_mailbox_free(p3_mailbox *box);

/* The fingerprint of a message: zero until it is set. Setting it returns false when out of memory.
 */
p3_fingerprint p3_mailbox_print(const p3_mailbox *box, size_t i);
bool p3_mailbox_set_print(p3_mailbox *box, size_t i, p3_fingerprint print);

typedef struct p3_plan {
    bool *claimed;   /* for each row: it is that of a message in the mailbox */
    bool renumbered; /* known messages may have got other unique-ids */
    size_t looks;    /* messages to be looked at */
} p3_plan;

/* Compares the mailbox with the rows: sets todo and row of each message. Returns false when out of
 * memory. Free with p3_plan_free(). */
bool p3_plan_make(p3_plan *plan, p3_mailbox *box, const p3_rows *rows);

/* The doubtful messages have been looked at (those whose fingerprint is still unknown are left
 * alone): decides about them. Returns false when out of memory. */
bool p3_plan_resolve(p3_plan *plan, p3_mailbox *box, const p3_rows *rows);

void p3_plan_free(p3_plan *plan);

#endif

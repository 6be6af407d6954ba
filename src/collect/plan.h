/* What to do with each message of a mailbox, given what is known of it. No input or output happens
 * here.
 *
 * A unique-id that occurs once in the listing and once among the rows, for a message delivered and
 * not deleted by us, is believed, as long as the sizes that LIST gave then and gives now agree
 * where both are known. Everything else is doubtful and is looked at: unique-ids that occur twice,
 * that come back after their message had gone, or whose deletion was never confirmed; messages
 * delivered in a session that fell out of step (reply_order.c); servers without UIDL (all
 * unique-ids empty), or whose unique-ids are message numbers; servers that renumber, or have UIDL
 * again (none of the unique-ids that ought to be there is). Looking at a message means to fetch its
 * header and compare its fingerprint.
 *
 * A header is not a message. What was found by it may be deleted only when it is certain that it is
 * the message that was delivered: by its unique-id and a header that no other message has, or by
 * every octet of it (comparer.c). And a header that others may have, like that of a device
 * which sends neither Message-ID nor Received, finds what has gone only under its unique-id, and if
 * every octet is the same: else that is a new message of the same sort. */
#ifndef P3_COLLECT_PLAN_H
#define P3_COLLECT_PLAN_H

#include "collect/match.h"

/* How long it is remembered that a message has gone, in case its unique-id comes back. */
#define P3_GONE_SECONDS ((int64_t)90 * 24 * 3600)

typedef struct p3_plan {
    bool *claimed;     /* for each row: it is that of a message in the mailbox */
    bool met;          /* a unique-id in the mailbox is that of a message that ought to be there */
    bool renumbered;   /* known messages may have got other unique-ids */
    size_t looks;      /* messages to be looked at */
    size_t mismatches; /* messages that are not those of their rows */
    size_t twice;      /* unique-ids that occur more than once */
} p3_plan;

/* Compares the mailbox with the rows: sets todo, row and certain of each message. Returns false
 * when out of memory. Free with p3_plan_free(). */
bool p3_plan_make(p3_plan *plan, p3_listing *box, const p3_rows *rows);

/* Has new messages looked at that can be told from others by their headers alone, as they are not
 * to be retrieved. Returns false when out of memory. */
bool p3_plan_doubt(p3_plan *plan, p3_listing *box, const p3_rows *rows);

/* The doubtful messages have been looked at (those whose fingerprint is still unknown are left
 * alone): decides about them. Returns false when out of memory. */
bool p3_plan_resolve(p3_plan *plan, p3_listing *box, const p3_rows *rows);

/* A message was compared to the last octet, and is not that of its row. */
void p3_plan_mismatch(p3_plan *plan, p3_mail *mail);

/* Decides about all of those. What is the message of another row is known for certain, and the rest
 * is new. Returns false when out of memory. */
bool p3_plan_match(p3_plan *plan, p3_listing *box, const p3_rows *rows);

/* Has a message looked at that the listing says is known. */
void p3_plan_look(p3_plan *plan, p3_mail *mail);

/* Whether the listing says that a message is that of a row, whose header is that of one message. */
bool p3_plan_is_listed(const p3_listing *box, const p3_mail *mail, const p3_row *row);

/* A message turned out not to be that of its row: it is new. */
void p3_plan_take(p3_plan *plan, p3_mail *mail);

void p3_plan_free(p3_plan *plan);

#endif

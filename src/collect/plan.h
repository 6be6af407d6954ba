/* Decides what to do with each message of a mailbox, by its known rows. Pure functions.
 *
 * A unique-id that occurs once in the listing and once among the rows, of a message that was
 * delivered and not deleted by us, is sufficient if the sizes that LIST gave then and now are
 * equal, as far as they are known. All other messages are doubtful, and their headers are
 * requested: unique-ids that occur twice, that reappear after their message was gone, or whose
 * deletion was never confirmed; messages delivered in a session that fell out of step
 * (reply_order.c); servers without UIDL (all unique-ids empty), or whose unique-ids are message
 * numbers; servers that renumber, or have UIDL again (none of the expected unique-ids is listed).
 *
 * A header does not identify a message for certain. A message that was found by its header is
 * deleted only if it is certainly the one that was delivered: by its unique-id and a header that no
 * other message has, or by comparing every octet (comparer.c). A header that others may have, like
 * that of a device that sends neither Message-ID nor Received, matches a message that is gone only
 * under the same unique-id and if every octet is equal; otherwise it is a new message. */
#ifndef P3_COLLECT_PLAN_H
#define P3_COLLECT_PLAN_H

#include "collect/match.h"

/* How long a message that is gone is remembered, in case its unique-id reappears. */
#define P3_GONE_SECONDS ((int64_t)90 * 24 * 3600)

typedef struct p3_plan {
    bool *claimed;     /* for each row: it belongs to a message of the listing */
    bool met;          /* at least one expected unique-id is listed */
    bool renumbered;   /* known messages may have got other unique-ids */
    size_t looks;      /* messages whose headers are to be requested */
    size_t mismatches; /* messages that are not those of their rows */
    size_t twice;      /* unique-ids that occur more than once */
} p3_plan;

/* Compares the listing with the rows: sets todo, row and certain of each message. Returns false
 * when out of memory. Free with p3_plan_free(). */
bool p3_plan_make(p3_plan *plan, p3_listing *box, const p3_rows *rows);

/* For a run that retrieves nothing: requests the headers of new messages that only their headers
 * identify. Returns false when out of memory. */
bool p3_plan_doubt(p3_plan *plan, p3_listing *box, const p3_rows *rows);

/* Decides about doubtful messages, after their headers have been requested; those without a
 * fingerprint are left alone. Returns false when out of memory. */
bool p3_plan_resolve(p3_plan *plan, p3_listing *box, const p3_rows *rows);

/* A message was compared to the last octet, and is not that of its row. */
void p3_plan_mismatch(p3_plan *plan, p3_mail *mail);

/* Decides about all mismatched messages: one that belongs to another row is known for certain, the
 * others are new. Returns false when out of memory. */
bool p3_plan_match(p3_plan *plan, p3_listing *box, const p3_rows *rows);

/* Requests the header of a message that the listing says is known. */
void p3_plan_look(p3_plan *plan, p3_mail *mail);

/* Whether, by the listing, a message is that of a row whose header identifies one message. */
bool p3_plan_is_listed(const p3_listing *box, const p3_mail *mail, const p3_row *row);

/* A message turned out not to be that of its row: it is new. */
void p3_plan_retrieve(p3_plan *plan, p3_mail *mail);

void p3_plan_free(p3_plan *plan);

#endif

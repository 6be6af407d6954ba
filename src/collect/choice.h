/* Which of the new messages are retrieved in this visit, and in which order. No input or output
 * happens here. */
#ifndef P3_COLLECT_CHOICE_H
#define P3_COLLECT_CHOICE_H

#include "collect/maildrop.h"
#include "collect/trust.h"

/* A message that made trouble so often may be left alone. */
#define P3_TRIES_MOST 3

/* Counts that a message made trouble. Where it is not certain which message did, that alone has
 * none left alone: a session in steps finds out. */
static inline void p3_count_trouble(p3_row *row, bool certain)
{
    row->tries += certain || row->tries + 1 < P3_TRIES_MOST;
}

/* What bounds the choice, beside the account's settings. */
typedef struct p3_bounds {
    bool spares_trouble; /* what often made trouble is left alone */
    bool only_deletes;   /* nothing is retrieved */
    size_t room;         /* so many may be retrieved and deleted; SIZE_MAX: any number */
} p3_bounds;

typedef struct p3_choice {
    size_t *mails; /* indices into the mailbox; free() it */
    size_t count;
    bool more;          /* some are left to another visit */
    p3_problem problem; /* why some are left to another run, or nothing */
} p3_choice;

/* Has known messages looked at that are about to be deleted, as many as this visit may delete: the
 * server may have given their unique-ids to others. What is not looked at is not deleted. Where it
 * ends sessions after a few commands, a visit that does nothing else (`only_deletes`) looks at one,
 * and the next deletes it. */
void p3_choice_look_at_due(p3_maildrop *d, const p3_trust *trust, bool only_deletes);

/* Leaves out the messages at which sessions end, once the plan is made. */
void p3_choice_set_aside(p3_maildrop *d, const p3_trust *trust);

/* Leaves out what is too large to retrieve, or marks it for deletion. */
void p3_choice_by_size(p3_maildrop *d);

/* Chooses, and reports how much it is. Returns false when out of memory. */
bool p3_choose(p3_maildrop *d, const p3_bounds *bounds, p3_choice *out);

/* Says what would be done in a run that is not dry. */
void p3_choice_tell(const p3_choice *c, const p3_maildrop *d);

#endif

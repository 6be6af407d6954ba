/* Chooses which of the new messages are retrieved in this visit, and in which order. Pure
 * functions. */
#ifndef P3_COLLECT_CHOICE_H
#define P3_COLLECT_CHOICE_H

#include "collect/maildrop.h"
#include "collect/trust.h"

/* A message that has failed this often may be left out. */
#define P3_TRIES_MOST 3

/* Counts a failure of a message. If it is not certain which message failed, this count alone leaves
 * none out: a session with one command at a time finds out. */
static inline void p3_count_trouble(p3_row *row, bool certain)
{
    row->tries += certain || row->tries + 1 < P3_TRIES_MOST;
}

/* The limits of a choice, besides the account's settings. */
typedef struct p3_bounds {
    bool spares_trouble; /* messages that often failed are left out */
    bool only_deletes;   /* nothing is retrieved in this visit */
    size_t room; /* the number of messages that may be retrieved and deleted; SIZE_MAX: any */
} p3_bounds;

typedef struct p3_choice {
    size_t *mails; /* indices into the listing; free() it */
    size_t count;
    bool more;          /* some messages are left to another visit */
    p3_problem problem; /* why some messages are left to another run, or nothing */
} p3_choice;

/* Requests the headers of known messages that are due for deletion, as many as this visit may
 * delete, because the server may have given their unique-ids to other messages. A message that is
 * not looked at is not deleted. If the server ends sessions after a few commands, a visit that only
 * deletes (`only_deletes`) looks at one message, and the next visit deletes it. */
void p3_choice_look_at_due(p3_maildrop *d, const p3_trust *trust, bool only_deletes);

/* Leaves out the messages at which sessions ended. The plan must have been made. */
void p3_choice_set_aside(p3_maildrop *d, const p3_trust *trust);

/* Leaves out messages that are too large to retrieve, or marks them for deletion. */
void p3_choice_by_size(p3_maildrop *d);

/* Chooses, and reports the number and size of the messages. Returns false when out of memory. */
bool p3_choose(p3_maildrop *d, const p3_bounds *bounds, p3_choice *out);

/* In a dry run: reports what would be done. */
void p3_choice_tell(const p3_choice *c, const p3_maildrop *d);

#endif

/* Delivers what a target refused for good, and a Maildir has kept since (quarantine.h), once more:
 * from there it goes when the target has it. */
#ifndef P3_DELIVER_RETRY_H
#define P3_DELIVER_RETRY_H

#include "deliver/message.h"
#include "deliver/target.h"

/* One message of it. */
typedef struct p3_retried {
    const char *name; /* under which it was delivered, and comes again; NULL: this is about no one,
                         and only to be told */
    const char *note; /* why it was refused */
    bool delivered;   /* now; or, when only looked at, it would be tried */
    const p3_problem *problem; /* its own trouble, or NULL: that of the target */
} p3_retried;

typedef struct p3_retry {
    const char *maildir; /* with what was refused */
    bool is_shared; /* with other accounts, or with a person: only what carries the mark is ours */
    p3_target target;
    p3_owner owner;
    p3_line_ends line_ends;
    const char *const *intents; /* names of what a sync that was killed may have delivered, where
                                   the target would remove what tells, as of no concern to this */
    size_t intent_count;
    bool looks; /* nothing is delivered */
    void (*tell)(void *ctx, const p3_retried *m);
    void *ctx;
} p3_retry;

/* The account is locked. A message that the target has is taken from the Maildir; one that it
 * refuses stays there, whyever it does. Killed in between, a target that can be asked has each
 * message once, others at least once, under the same name. Returns false, with the problem, when
 * the target fails. */
bool p3_retry_all(const p3_retry *r, p3_problem *why);

#endif

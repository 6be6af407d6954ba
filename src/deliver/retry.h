/* Delivers messages again that a target refused permanently and that are kept in a Maildir
 * (quarantine.h); a message is removed from there when the target has it. */
#ifndef P3_DELIVER_RETRY_H
#define P3_DELIVER_RETRY_H

#include "deliver/message.h"
#include "deliver/target.h"

/* One message. */
typedef struct p3_retried {
    const char *name; /* under which it was delivered, and is delivered again; NULL: a report about
                         no message */
    const char *note; /* why it was refused */
    bool delivered;   /* now; or, in a dry run, it would be tried */
    const p3_problem *problem; /* its own, or NULL: that of the target */
} p3_retried;

typedef struct p3_retry {
    const char *maildir; /* with the refused messages */
    bool is_shared; /* it is shared with other accounts or a user: only messages with the mark are
                       ours */
    p3_target target;
    p3_owner owner;
    p3_line_ends line_ends;
    const char *const *intents; /* names of messages that a killed sync may have delivered, if
                                   settling would make the target discard its evidence about them */
    size_t intent_count;
    bool looks; /* dry run: nothing is delivered */
    void (*tell)(void *ctx, const p3_retried *m);
    void *ctx;
} p3_retry;

/* The account is locked. A message that the target accepts is removed from the Maildir; one that it
 * refuses stays, for whatever reason. If the process is killed, a target that can be asked has each
 * message once, others at least once, under the same name. Returns false, with the problem, when
 * the target fails. */
bool p3_retry_all(const p3_retry *r, p3_problem *why);

#endif

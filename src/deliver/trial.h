/* Tests a target without delivering anything. */
#ifndef P3_DELIVER_TRIAL_H
#define P3_DELIVER_TRIAL_H

#include "deliver/delivery.h"

/* Gets what is right; with `is_note`, what is worth knowing. */
typedef struct p3_trial {
    void (*tell)(void *ctx, bool is_note, const char *text);
    void *ctx;
} p3_trial;

/* Each connects, logs in if needed, and asks. False, with the problem, when something is wrong.
 * IMAP: whether the folder exists. LMTP, SMTP: whether the server accepts mail for the recipient.
 */
bool p3_imap_trial(const char *where, const p3_envelope *envelope, const p3_trial *t,
                   p3_problem *why);
bool p3_lmtp_trial(const char *where, const p3_envelope *envelope, const p3_trial *t,
                   p3_problem *why);
bool p3_smtp_trial(const char *where, const p3_envelope *envelope, const p3_trial *t,
                   p3_problem *why);

#endif

/* The result of a parcel, for targets that deliver messages one by one. */
#ifndef P3_DELIVER_PARCEL_H
#define P3_DELIVER_PARCEL_H

#include "deliver/delivery.h"
#include "deliver/spool.h"

/* Records a problem of this message alone: `what` and the problem's text. */
void p3_parcel_fail(p3_parcel *p, int exit, const char *what, const p3_problem *why);

/* The target has the message, whatever it said of it before. */
void p3_parcel_deliver(p3_parcel *p);

/* A target refuses a message permanently: it is put into the quarantine, with a note, and counts as
 * delivered; without one (`maildir` is NULL) it does not count. Either is recorded. `doing` begins
 * the message, "delivering by LMTP: "; `whom` is the target, "the LMTP server". */
void p3_parcel_refuse(p3_parcel *p, const char *maildir, const p3_spool_mail *mail,
                      const char *doing, const char *whom, const p3_problem *why);

/* Puts a message into the quarantine for one recipient who did not get it, with a note. False, with
 * the problem. */
bool p3_parcel_keep_for(const p3_parcel *p, const char *maildir, const p3_spool_mail *mail,
                        const char *recipient, const p3_problem *note, p3_problem *why);

/* Adds the problem of another target of the message: takes over `*more`, which becomes NULL. */
void p3_parcel_add_problem(p3_parcel *p, p3_problem **more);

/* Frees the contents of a parcel. */
void p3_parcel_clear(p3_parcel *p);

#endif

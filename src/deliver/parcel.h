/* What becomes of a parcel, where a target delivers messages one by one. */
#ifndef P3_DELIVER_PARCEL_H
#define P3_DELIVER_PARCEL_H

#include "deliver/delivery.h"
#include "deliver/spool.h"

/* Notes a reason that is this message's own: `what` and the problem's text. */
void p3_parcel_fail(p3_parcel *p, int exit, const char *what, const p3_problem *why);

/* A target refuses a message for good: it goes to the Maildir for such, with a note, and counts as
 * delivered then; where there is none (`maildir` is NULL) it does not. Either is noted. `doing`
 * begins what is said of it, "delivering by LMTP: "; `whom` refuses, "the LMTP server". */
void p3_parcel_refuse(p3_parcel *p, const char *maildir, const p3_spool_mail *mail,
                      const char *doing, const char *whom, const p3_problem *why);

/* Puts a message into a Maildir for one of its recipients, who did not get it, with a note. False,
 * with the problem. */
bool p3_parcel_keep_for(const p3_parcel *p, const char *maildir, const p3_spool_mail *mail,
                        const char *recipient, const p3_problem *note, p3_problem *why);

/* Adds what another place that the message went to has to say of it: takes `*more` over where it
 * leaves NULL. */
void p3_parcel_add_problem(p3_parcel *p, p3_problem **more);

/* Frees what a parcel holds. */
void p3_parcel_clear(p3_parcel *p);

#endif

/* What a visit has done so far, and telling people: the tally has no other writer. */
#ifndef P3_COLLECT_REPORT_H
#define P3_COLLECT_REPORT_H

#include "collect/listing.h"
#include "collect/options.h"

typedef struct p3_report {
    const p3_sync_options *options;
    const p3_account *account;
    p3_tally tally; /* of the run */
} p3_report;

/* Tells people something; of a message where `mail` is not NULL. */
void p3_report_tell(const p3_report *r, p3_notice_kind kind, const p3_mail *mail, const char *text,
                    const p3_problem *problem);

/* A message could not be retrieved or delivered; it is filtered out; it could not be compared. */
void p3_report_failed(p3_report *r, const p3_mail *mail, const p3_problem *why);
void p3_report_skipped(p3_report *r, const p3_mail *mail, const char *why);
void p3_report_unseen(p3_report *r, const p3_mail *mail, const p3_problem *why);

/* A message that was to be deleted stays on the server: told, where `why` is not NULL. */
void p3_report_undeleted(p3_report *r, const p3_mail *mail, const p3_problem *why);

/* A message was refused that was asked for before it was known that all are: told of no more. */
void p3_report_refused_beyond(p3_report *r, const p3_mail *mail);

/* The server has so many messages; so many, with so many octets, are retrieved in this visit. */
void p3_report_listed(p3_report *r, size_t count);
void p3_report_wanted(p3_report *r, size_t count, uint64_t octets);

/* A message has come; so many of those that came are thrown away. */
void p3_report_retrieved(p3_report *r, const p3_mail *mail, uint64_t octets);
void p3_report_discarded(p3_report *r, size_t count);

/* So many are delivered, by this run or by an earlier one, or deleted for certain. */
void p3_report_delivered(p3_report *r, size_t count);
void p3_report_settled(p3_report *r, size_t count);
void p3_report_deleted(p3_report *r, size_t count);

/* One of those that were delivered is kept for `pop3 retry`: a target refuses it for good. */
void p3_report_refused(p3_report *r, const p3_mail *mail, const p3_problem *why);

/* So many count as seen from now on. */
void p3_report_passed_over(p3_report *r, size_t count);

/* A message was refused: whether only LIST claimed that it is there, which is told, and no failure.
 */
bool p3_report_disbelieves(const p3_report *r, const p3_mail *mail);

#endif

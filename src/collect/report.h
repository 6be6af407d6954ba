/* Counts and reports. Nothing else writes the tally. */
#ifndef P3_COLLECT_REPORT_H
#define P3_COLLECT_REPORT_H

#include "collect/listing.h"
#include "collect/options.h"

typedef struct p3_report {
    const p3_sync_options *options;
    const p3_account *account;
    p3_tally tally; /* of the run */
} p3_report;

/* Reports to the user; about a message if `mail` is not NULL. */
void p3_report_tell(const p3_report *r, p3_notice_kind kind, const p3_mail *mail, const char *text,
                    const p3_problem *problem);

/* A message could not be retrieved or delivered; a filter leaves it on the server; it could not be
 * compared. */
void p3_report_failed(p3_report *r, const p3_mail *mail, const p3_problem *why);
void p3_report_skipped(p3_report *r, const p3_mail *mail, const char *why);
void p3_report_unseen(p3_report *r, const p3_mail *mail, const p3_problem *why);

/* A message that was to be deleted stays on the server: reported if `why` is not NULL. */
void p3_report_undeleted(p3_report *r, const p3_mail *mail, const p3_problem *why);

/* A message was refused that was requested before all were known to be refused: counted, not
 * reported. */
void p3_report_refused_beyond(p3_report *r, const p3_mail *mail);

/* The server has `count` messages; this visit retrieves this many, with this many octets. */
void p3_report_listed(p3_report *r, size_t count);
void p3_report_wanted(p3_report *r, size_t count, uint64_t octets);

/* A message has been retrieved; some of the retrieved octets are discarded. */
void p3_report_retrieved(p3_report *r, const p3_mail *mail, uint64_t octets);
void p3_report_discarded(p3_report *r, size_t count);

/* Messages were delivered, by this run or an earlier one; messages were certainly deleted. */
void p3_report_delivered(p3_report *r, size_t count);
void p3_report_settled(p3_report *r, size_t count);
void p3_report_deleted(p3_report *r, size_t count);

/* A delivered message is kept for `pop3 retry`, because a target refused it permanently. */
void p3_report_refused(p3_report *r, const p3_mail *mail, const p3_problem *why);

/* Messages count as seen from now on. */
void p3_report_passed_over(p3_report *r, size_t count);

/* A message was refused. Returns whether only LIST had it, which is reported and is not a failure.
 */
bool p3_report_disbelieves(const p3_report *r, const p3_mail *mail);

#endif

/* Warnings about a listing, for the user. */
#ifndef P3_COLLECT_LISTING_WARNINGS_H
#define P3_COLLECT_LISTING_WARNINGS_H

#include "collect/plan.h"
#include "collect/report.h"

/* Reports the messages that are only in UIDL or only in LIST. Returns whether there were any. */
bool p3_warn_of_disagreement(const p3_report *r, const p3_listing *box);

/* Reports unique-ids that do not identify messages. */
void p3_warn_of_uids(const p3_report *r, const p3_listing *box, const p3_plan *plan);

#endif

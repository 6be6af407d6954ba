/* What the user had better know about a listing, in words. */
#ifndef P3_COLLECT_LISTING_WARNINGS_H
#define P3_COLLECT_LISTING_WARNINGS_H

#include "collect/plan.h"
#include "collect/report.h"

/* Tells of the messages that only one of UIDL and LIST has. Returns whether there were any. */
bool p3_warn_of_disagreement(const p3_report *r, const p3_listing *box);

/* Tells of unique-ids that do not tell messages apart. */
void p3_warn_of_uids(const p3_report *r, const p3_listing *box, const p3_plan *plan);

#endif

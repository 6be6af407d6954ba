/* Delays reports about failed messages until it is known whether a later session of the run
 * retrieved them. */
#ifndef P3_CLI_DELAYED_REPORTS_H
#define P3_CLI_DELAYED_REPORTS_H

#include "collect/sync.h"

/* Reports that wait for the end of their account's run. All zero at first. */
typedef struct p3_delayed_reports {
    struct p3_delayed_report *first;
    size_t count;
} p3_delayed_reports;

/* Follows the run: another session begins, a message has been retrieved after all. */
void p3_delayed_reports_follow(p3_delayed_reports *r, const p3_notice *n);

/* Stores a P3_NOTICE_FAILED. False, when out of memory or when too many wait: report it at once. */
bool p3_delayed_reports_keep(p3_delayed_reports *r, const p3_notice *n);

/* The account is done (P3_NOTICE_OVER): reports the failures that no later session made good, in
 * order, and discards the others. */
void p3_delayed_reports_tell(p3_delayed_reports *r, const p3_notice *n,
                             void (*tell)(const p3_account *account, uint32_t number,
                                          const char *text));

void p3_delayed_reports_free(p3_delayed_reports *r);

#endif

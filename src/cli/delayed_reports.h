/* What is to be told of messages that failed, once it is known whether the run mended that itself.
 */
#ifndef P3_CLI_DELAYED_REPORTS_H
#define P3_CLI_DELAYED_REPORTS_H

#include "collect/sync.h"

/* Remarks that wait for the end of their account's run. Begins as zeros. */
typedef struct p3_delayed_reports {
    struct p3_delayed_report *first;
    size_t count;
} p3_delayed_reports;

/* Takes note of what happens: another session begins, a message has come after all. */
void p3_delayed_reports_follow(p3_delayed_reports *r, const p3_notice *n);

/* Keeps what P3_NOTICE_FAILED tells of a message. False, and nothing is kept, when out of memory or
 * when as many wait as may: it is to be told at once. */
bool p3_delayed_reports_keep(p3_delayed_reports *r, const p3_notice *n);

/* The account is done (P3_NOTICE_OVER): tells what a later session did not mend, in the order in
 * which it happened, and forgets the rest. */
void p3_delayed_reports_tell(p3_delayed_reports *r, const p3_notice *n,
                             void (*tell)(const p3_account *account, uint32_t number,
                                          const char *text));

void p3_delayed_reports_free(p3_delayed_reports *r);

#endif

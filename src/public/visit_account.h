/* The options of a visit, for the rooms below. */
#ifndef P3_PUBLIC_VISIT_ACCOUNT_H
#define P3_PUBLIC_VISIT_ACCOUNT_H

#include <pop3/collect.h>

#include "collect/options.h"

typedef struct p3_visit_account {
    pop3_visit_options options; /* of the size that this library knows */
    p3_account account;         /* points into it */
    p3_sync_options run;        /* all but `notice` */
    p3_envelope envelope;
    char *key;
} p3_visit_account;

/* Reads them. Returns false with the problem when they cannot be used. To be cleared in either
 * case. */
bool p3_visit_account_read(p3_visit_account *a, const pop3_visit_options *options, p3_problem *why);
void p3_visit_account_clear(p3_visit_account *a);

#endif

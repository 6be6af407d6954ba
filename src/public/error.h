/* Problems of the rooms below, as errors of libpop3-collect: one table of classes. */
#ifndef P3_PUBLIC_ERROR_H
#define P3_PUBLIC_ERROR_H

#include <pop3/collect.h>

#include "support/problem.h"

/* Fills in an error, if there is one. Returns its class, which is not POP3_COLLECT_OK. */
pop3_collect_status p3_collect_fail(pop3_collect_error *error, const p3_problem *problem);

/* The same for errors of the caller. */
pop3_collect_status p3_collect_refuse(pop3_collect_error *error, pop3_collect_status status,
                                      const char *why);

/* The error of a caller's function, as a problem. Returns false. */
bool p3_collect_problem(p3_problem *out, pop3_collect_status status,
                        const pop3_collect_error *error, const char *doing);

#endif

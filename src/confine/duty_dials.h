/* In the runner: connects to the places among its duties, and to no others. The addresses of a
 * named host are those of the last lookup. */
#ifndef P3_CONFINE_DUTY_DIALS_H
#define P3_CONFINE_DUTY_DIALS_H

#include "confine/duties.h"
#include "confine/runner_protocol.h"

/* The result of a lookup, sent to the runner by the process that looked it up. */
typedef struct p3_found_name {
    uint32_t which;
    p3_name_answer answer;
} p3_found_name;

/* Stores the addresses of hosts that have no name. */
void p3_duty_learn_numeric(const p3_runner_duties *d);

/* Stores the addresses of a host: from a process of the runner, not from the one that asks. */
void p3_duty_learn(const p3_runner_duties *d, const p3_found_name *found);

/* Begins to connect. Returns an errno, or 0 with the socket in *fd. */
int p3_duty_dial(const p3_dial_request *r, const p3_runner_duties *d, int *fd);

#endif

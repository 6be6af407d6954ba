/* In the runner: connecting to the places among its duties, and to no others. A host that has a
 * name is wherever its name was last found to be. */
#ifndef P3_CONFINE_DUTY_DIALS_H
#define P3_CONFINE_DUTY_DIALS_H

#include "confine/duties.h"
#include "confine/runner_protocol.h"

/* What a name was found to be, as it goes to the runner from the process that looked it up. */
typedef struct p3_found_name {
    uint32_t which;
    p3_name_answer answer;
} p3_found_name;

/* Learns where the hosts are that have an address and no name. */
void p3_duty_learn_numeric(const p3_runner_duties *d);

/* Learns where a host is: from a process of the runner's own, not from the one that asks. */
void p3_duty_learn(const p3_runner_duties *d, const p3_found_name *found);

/* Begins to connect. Returns an errno, or 0 with the socket in *fd. */
int p3_duty_dial(const p3_dial_request *r, const p3_runner_duties *d, int *fd);

#endif

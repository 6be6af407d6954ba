/* In the runner: name lookups. */
#ifndef P3_CONFINE_DUTY_NAMES_H
#define P3_CONFINE_DUTY_NAMES_H

#include "confine/runner_protocol.h"

/* Looks a name up. */
void p3_duty_look_up(const char *name, p3_name_answer *answer);

#endif

/* Delivers to a command. */
#ifndef P3_DELIVER_COMMAND_H
#define P3_DELIVER_COMMAND_H

#include "deliver/delivery.h"

/* Opens a command line for /bin/sh as a target. */
p3_delivery *p3_command_open(const char *command, const p3_envelope *envelope, p3_problem *why);

#endif

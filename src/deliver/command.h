/* Delivers to a command. */
#ifndef P3_DELIVER_COMMAND_H
#define P3_DELIVER_COMMAND_H

#include "deliver/delivery.h"

/* Prepares to deliver to a command line of /bin/sh. */
p3_delivery *p3_command_open(const char *command, const p3_envelope *envelope, p3_problem *why);

#endif

/* In the runner: requests about files. */
#ifndef P3_CONFINE_DUTY_FILES_H
#define P3_CONFINE_DUTY_FILES_H

#include "confine/duties.h"
#include "confine/runner_protocol.h"

/* Checks a request, which may contain anything, and carries it out if it is among the duties.
 * Returns an errno or 0, and in *fd a descriptor for the other process, or -1. */
int p3_duty_perform(const p3_file_request *r, const p3_runner_duties *duties, int *fd);

#endif

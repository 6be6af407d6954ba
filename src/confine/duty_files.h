/* In the runner: what is asked about files. */
#ifndef P3_CONFINE_DUTY_FILES_H
#define P3_CONFINE_DUTY_FILES_H

#include "confine/duties.h"
#include "confine/runner_protocol.h"

/* Judges a request, which may say anything, and does it when it is one of the duties. Gives an
 * errno or 0, and in *fd a descriptor for the asker, or -1. */
int p3_duty_perform(const p3_file_request *r, const p3_runner_duties *duties, int *fd);

#endif

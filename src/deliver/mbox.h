/* Delivers to an mbox. */
#ifndef P3_DELIVER_MBOX_H
#define P3_DELIVER_MBOX_H

#include "deliver/delivery.h"

/* Opens the mbox at a path; the file is created when a message is delivered. */
p3_delivery *p3_mbox_open(const char *path, const p3_envelope *envelope, p3_problem *why);

/* See p3_target_has(). */
bool p3_mbox_has(const char *path, const char *owner);

/* See p3_target_tidy(). */
void p3_mbox_tidy(const char *path, const char *owner);

#endif

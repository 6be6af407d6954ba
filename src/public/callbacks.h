/* Delivers to a target of the caller: a class of deliveries over pop3_target. */
#ifndef P3_PUBLIC_CALLBACKS_H
#define P3_PUBLIC_CALLBACKS_H

#include "deliver/delivery.h"

/* Opens the target in the envelope, which must outlive the delivery. */
p3_delivery *p3_callbacks_open(const char *id, const p3_envelope *envelope, p3_problem *why);

#endif

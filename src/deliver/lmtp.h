/* Delivers to an LMTP server. */
#ifndef P3_DELIVER_LMTP_H
#define P3_DELIVER_LMTP_H

#include "deliver/delivery.h"

/* Prepares to deliver to "unix:PATH" or "HOST:PORT": it is connected to when there is a message.
 * Without an envelope (NULL) nothing can be delivered, and what an earlier run left can be settled.
 * The envelope must outlive the delivery. */
p3_delivery *p3_lmtp_open(const char *where, const p3_envelope *envelope, p3_problem *why);

#endif

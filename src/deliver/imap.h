/* Delivers to a folder of an IMAP server. */
#ifndef P3_DELIVER_IMAP_H
#define P3_DELIVER_IMAP_H

#include "deliver/delivery.h"

/* Prepares to deliver to "imaps://USER@HOST/FOLDER": it is connected to when there is a message, or
 * something to be settled. Without an envelope that has options for IMAP neither is possible. The
 * envelope must outlive the delivery. */
p3_delivery *p3_imap_open(const char *where, const p3_envelope *envelope, p3_problem *why);

#endif

/* Delivers to a folder of an IMAP server. */
#ifndef P3_DELIVER_IMAP_H
#define P3_DELIVER_IMAP_H

#include "deliver/delivery.h"

/* Opens "imaps://USER@HOST/FOLDER"; connects when there is a message or something to settle.
 * Without IMAP options in the envelope neither is possible. The envelope must outlive the delivery.
 */
p3_delivery *p3_imap_open(const char *where, const p3_envelope *envelope, p3_problem *why);

#endif

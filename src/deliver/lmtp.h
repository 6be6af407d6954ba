/* Delivers to an LMTP or SMTP server. */
#ifndef P3_DELIVER_LMTP_H
#define P3_DELIVER_LMTP_H

#include "deliver/delivery.h"
#include "deliver/server_url.h"

/* Opens "unix:PATH" or "HOST:PORT"; connects when there is a message. Without an envelope (NULL)
 * nothing can be delivered, and intents of an earlier run can be settled. The envelope must outlive
 * the delivery. */
p3_delivery *p3_lmtp_open(const char *where, const p3_envelope *envelope, p3_problem *why);

/* The same for smtps://USER@HOST[:PORT]/, or smtp:// for STARTTLS. */
p3_delivery *p3_smtp_open(const char *where, const p3_envelope *envelope, p3_problem *why);

/* Parses such a URL. False when it is invalid. */
bool p3_smtp_server_read(p3_server_url *out, const char *where);

/* Whether two such URLs are the same server. */
bool p3_smtp_is_same(const char *where, const char *other);

#endif

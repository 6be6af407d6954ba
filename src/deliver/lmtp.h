/* Delivers to an LMTP or SMTP server. */
#ifndef P3_DELIVER_LMTP_H
#define P3_DELIVER_LMTP_H

#include "deliver/delivery.h"
#include "deliver/server_url.h"

/* Prepares to deliver to "unix:PATH" or "HOST:PORT": it is connected to when there is a message.
 * Without an envelope (NULL) nothing can be delivered, and what an earlier run left can be settled.
 * The envelope must outlive the delivery. */
p3_delivery *p3_lmtp_open(const char *where, const p3_envelope *envelope, p3_problem *why);

/* The same to smtps://USER@HOST[:PORT]/, or smtp:// for STARTTLS. */
p3_delivery *p3_smtp_open(const char *where, const p3_envelope *envelope, p3_problem *why);

/* Reads that. False when it is none. */
bool p3_smtp_server_read(p3_server_url *out, const char *where);

/* Whether two ways to write it mean one server. */
bool p3_smtp_is_same(const char *where, const char *other);

#endif

/* Dates of messages. */
#ifndef P3_SUPPORT_MAIL_DATE_H
#define P3_SUPPORT_MAIL_DATE_H

#include <stdbool.h>
#include <stdint.h>

#define P3_DATE_TEXT 32

/* Parses a Date field, or the part of a Received field after the semicolon: seconds since the
 * epoch. False when it is invalid. */
bool p3_mail_date_read(const char *field, int64_t *out);

/* "2026-11-23 07:39" in local time for a Date field (RFC 5322 §3.3); the field itself, cut, when it
 * is invalid. Returns out. */
const char *p3_mail_date_text(const char *field, char out[P3_DATE_TEXT]);

#endif

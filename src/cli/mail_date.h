/* Dates of messages. */
#ifndef P3_CLI_MAIL_DATE_H
#define P3_CLI_MAIL_DATE_H

#define P3_DATE_TEXT 32

/* "2026-11-23 07:39" in local time for a Date field (RFC 5322 §3.3); the field itself, cut, when it
 * cannot be understood. Returns out. */
const char *p3_mail_date_text(const char *field, char out[P3_DATE_TEXT]);

#endif

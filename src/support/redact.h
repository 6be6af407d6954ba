/* Keeps secrets out of what is told. */
#ifndef P3_SUPPORT_REDACT_H
#define P3_SUPPORT_REDACT_H

/* Octets in a row of a secret that are not shown; of a shorter one all, from four on. */
#define P3_HIDDEN 8

/* Ends a text with "***" where it repeats a part of a secret: as it is, percent-encoded, escaped as
 * in JSON, or in base64 of either alphabet, in which it may stand in the middle of something else.
 * NULL is no secret. */
void p3_redact_secret(char *text, const char *secret);

#endif

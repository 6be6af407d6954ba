/* Keeps secrets out of messages. */
#ifndef P3_SUPPORT_REDACT_H
#define P3_SUPPORT_REDACT_H

/* Consecutive octets of a secret that are recognized; of a shorter secret all, if it has at least
 * four. */
#define P3_HIDDEN 8

/* Ends a text with "***" where it repeats a part of a secret: unchanged, percent-encoded, escaped
 * as in JSON, or in base64 of either alphabet, also within other text. NULL: no secret. */
void p3_redact_secret(char *text, const char *secret);

#endif

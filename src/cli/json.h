/* JSON output. */
#ifndef P3_CLI_JSON_H
#define P3_CLI_JSON_H

#include <jansson.h>

#include "collect/sync.h"

/* Prints an object on a line, and frees it. Returns false when it cannot be written, or could not
 * be created (NULL). */
bool p3_json_line(json_t *object);

/* A string from any octets: invalid UTF-8 becomes U+FFFD. */
json_t *p3_json_text(const char *text, size_t len);

/* A number of any size: jansson's integers end at 2^63-1, so larger ones are reals. */
json_t *p3_json_number(uint64_t n);

/* A size; null for ::POP3_OCTETS_UNKNOWN. */
json_t *p3_json_octets(uint64_t n);

/* An event of sync. */
void p3_json_notice(const p3_notice *n);

#endif

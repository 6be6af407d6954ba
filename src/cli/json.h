/* Output for programs. */
#ifndef P3_CLI_JSON_H
#define P3_CLI_JSON_H

#include <jansson.h>

#include "collect/sync.h"

/* Prints an object on a line of its own, and gives it up. Returns false when it cannot be written,
 * or could not be made (NULL). */
bool p3_json_line(json_t *object);

/* A string of any octets: those that are not UTF-8 become U+FFFD. */
json_t *p3_json_text(const char *text, size_t len);

/* A number of any size: jansson's integers end at 2^63-1, so what is larger is a real. */
json_t *p3_json_number(uint64_t n);

/* A size; null for ::POP3_OCTETS_UNKNOWN. */
json_t *p3_json_octets(uint64_t n);

/* An event of sync. */
void p3_json_notice(const p3_notice *n);

#endif

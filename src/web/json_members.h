/* Reads JSON from a server or a file: every member has the expected type, or is missing. */
#ifndef P3_WEB_JSON_MEMBERS_H
#define P3_WEB_JSON_MEMBERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Parses an object; NULL when it is not one, has a name twice, or when out of memory. Free with
 * p3_members_free(). jansson limits the depth (2048). */
json_t *p3_members_read(const char *text, size_t len);

/* Wipes the texts in the object, and frees it; NULL does nothing. */
void p3_members_free(json_t *object);

/* The text of a member, which belongs to the object; NULL when it is not a text, is empty, or has
 * control characters. */
const char *p3_member_text(const json_t *object, const char *name);

/* The number of a member, also if it is written as text; 0 when it is not a number, is negative or
 * more than `most`. */
int64_t p3_member_number(const json_t *object, const char *name, int64_t most);

/* Whether a member is an array that contains this text. */
bool p3_member_lists(const json_t *object, const char *name, const char *text);

#endif

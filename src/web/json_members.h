/* Reads JSON that a server sent or a file holds: every member is of the expected type, or missing.
 */
#ifndef P3_WEB_JSON_MEMBERS_H
#define P3_WEB_JSON_MEMBERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads an object; NULL when it is none, has a name twice, or memory is out. Free with
 * p3_members_free(). jansson bounds the depth (2048). */
json_t *p3_members_read(const char *text, size_t len);

/* Wipes the texts in the object, and frees it; NULL is fine. */
void p3_members_free(json_t *object);

/* The text of a member, which is the object's; NULL when it is none, is empty, or has control
 * characters in it. */
const char *p3_member_text(const json_t *object, const char *name);

/* The number of a member, also of one that is written as text; 0 when it is none, is negative or
 * more than `most`. */
int64_t p3_member_number(const json_t *object, const char *name, int64_t most);

/* Whether a member is an array with this text in it. */
bool p3_member_lists(const json_t *object, const char *name, const char *text);

#endif

/* Reads a message's header, field by field (RFC 5322 section 2.2). */
#ifndef P3_SUPPORT_HEADER_FIELD_H
#define P3_SUPPORT_HEADER_FIELD_H

#include <stdbool.h>
#include <stddef.h>

typedef struct p3_field {
    const char *name; /* without surrounding blanks; empty if there is no colon */
    size_t name_len;
    const char *value; /* after the colon, with its blanks, line ends and continuation lines */
    const char *end;   /* of the value and the field */
} p3_field;

/* Reads the field at `*at`, and advances it. False at the end of the header. */
bool p3_field_next(const char **at, const char *end, p3_field *f);

/* Whether a field has this name, ignoring case. */
bool p3_field_is(const p3_field *f, const char *name);

#endif

/* Reads a message's header field by field (RFC 5322 section 2.2). */
#ifndef P3_SUPPORT_HEADER_FIELD_H
#define P3_SUPPORT_HEADER_FIELD_H

#include <stdbool.h>
#include <stddef.h>

typedef struct p3_field {
    const char *name; /* without blanks around it; empty where there is no colon */
    size_t name_len;
    const char *value; /* behind the colon, with its blanks, line ends and continuation lines */
    const char *end;   /* of both value and field */
} p3_field;

/* Reads the field at `*at`, and moves there behind it. False at the end of the header. */
bool p3_field_next(const char **at, const char *end, p3_field *f);

/* Whether a field has that name; letters' case is ignored. */
bool p3_field_is(const p3_field *f, const char *name);

#endif

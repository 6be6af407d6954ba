/* Which characters may be printed. Text from servers and messages must not control a terminal, or
 * look like other text than it is. Nothing else decides about this. */
#ifndef P3_SUPPORT_PRINTABLE_H
#define P3_SUPPORT_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum p3_char_kind {
    P3_CHAR_VISIBLE,
    P3_CHAR_CONTROL,  /* C0, DEL, C1, line and paragraph separators */
    P3_CHAR_INVISIBLE /* format characters (Cf): direction, joiners, tags, byte order marks */
} p3_char_kind;

p3_char_kind p3_char_kind_of(uint32_t c);

/* The UTF-8 character at the beginning of `len` octets, at least one. Returns its length, or 0 for
 * invalid UTF-8 (RFC 3629: no surrogates, no overlong forms). */
size_t p3_utf8_char(const char *text, size_t len, uint32_t *c);

/* Whether the octets may be the beginning of a longer character. */
bool p3_utf8_is_cut(const char *text, size_t len);

/* Converts any text to one printable line: control characters become blanks, several blanks one,
 * invisible characters are removed, and invalid UTF-8 becomes U+FFFD. free() it; NULL when out of
 * memory. */
char *p3_line_clean(const char *text, size_t len);

/* A copy in which NULs and invalid UTF-8 are U+FFFD, for JSON, whose writer escapes the rest. NULL
 * when out of memory. */
char *p3_utf8_clean(const char *text, size_t len);

#endif

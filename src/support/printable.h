/* Which characters may be shown: the one place that knows. Text from outside, which is what a
 * server or a message says, must not command a terminal, nor look like other text than it is. */
#ifndef P3_SUPPORT_PRINTABLE_H
#define P3_SUPPORT_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum p3_char_kind {
    P3_CHAR_VISIBLE,
    P3_CHAR_CONTROL,  /* C0, DEL, C1, and the separators of lines and paragraphs */
    P3_CHAR_INVISIBLE /* format characters (Cf): direction, joiners, tags, byte order marks */
} p3_char_kind;

p3_char_kind p3_char_kind_of(uint32_t c);

/* The UTF-8 character at the beginning of `len` octets, at least one. Returns its length, or 0 for
 * what is not UTF-8 (RFC 3629: no surrogates, no overlong forms). */
size_t p3_utf8_char(const char *text, size_t len, uint32_t *c);

/* Whether the octets, fewer than a character has, may be the beginning of one. */
bool p3_utf8_is_cut(const char *text, size_t len);

/* Makes any text fit for one line: control characters become blanks, many blanks one, what is
 * invisible goes, and what is not UTF-8 is U+FFFD. free() it; NULL when out of memory. */
char *p3_line_clean(const char *text, size_t len);

/* A copy in which what is not UTF-8, or NUL, is U+FFFD; all else is kept. For JSON, whose writer
 * escapes it. NULL when out of memory. */
char *p3_utf8_clean(const char *text, size_t len);

#endif

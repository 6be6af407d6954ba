/* Comparisons of ASCII letters: strcasecmp(3) depends on the locale, and in a Turkish one I and i
 * differ. */
#ifndef P3_SUPPORT_ASCII_H
#define P3_SUPPORT_ASCII_H

#include <stdbool.h>
#include <stddef.h>

static inline char p3_ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Whether len octets of both are equal, ignoring case. */
static inline bool p3_ascii_equal(const char *a, const char *b, size_t len)
{
    while (len > 0 && p3_ascii_lower(a[len - 1]) == p3_ascii_lower(b[len - 1]))
        len--;
    return len == 0;
}

#endif

/* Spans for the unit tests: made of literals, and compared with them. */
#ifndef TESTS_UNIT_SPANS_H
#define TESTS_UNIT_SPANS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <pop3/types.h>

static inline pop3_str span(const char *text)
{
    return (pop3_str){text, strlen(text)};
}

/* With a NUL inside; len without the literal's own. */
static inline pop3_str octets(const char *data, size_t len)
{
    return (pop3_str){data, len};
}

#define assert_span(s, text) assert_span_at((s), (text), __FILE__, __LINE__)
static inline void assert_span_at(pop3_str s, const char *text, const char *file, int line)
{
    _assert_int_equal(s.len, strlen(text), file, line);
    if (s.len > 0)
        _assert_memory_equal(s.data, text, s.len, file, line);
}

#endif

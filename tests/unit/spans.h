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

#define assert_span(s, text)                                                                       \
    do {                                                                                           \
        pop3_str span_ = (s);                                                                      \
        assert_int_equal(span_.len, strlen(text));                                                 \
        if (span_.len > 0)                                                                         \
            assert_memory_equal(span_.data, (text), span_.len);                                    \
    } while (0)

#endif

/* What is not shown of a text that repeats a secret. */
#include "unit.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "support/redact.h"

static long left = -1; /* allocations until one is refused; -1: none is */

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

static bool is_refused(void)
{
    return left >= 0 && left-- == 0;
}

void *__wrap_malloc(size_t size)
{
    return is_refused() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_refused() ? NULL : __real_calloc(count, size);
}

static void a_secret_is_hidden_in_each_form(void **state)
{
    static const char *const texts[] = {"no: sec/ret+word!", "no: sec%2Fret%2bword%21",
                                        "no: sec\\/ret\\u002bword!",
                                        "no: c2VjL3JldCt3b3JkIQ==", "no: c2VjL3JldCt3b3JkIQ"};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char text[100];
        (void)strcpy(text, texts[i]);
        p3_redact_secret(text, "sec/ret+word!");
        assert_string_equal(text, "no: ***");
    }
}

static void whichever_allocation_fails_nothing_is_shown_that_was_not_looked_through(void **state)
{
    bool failed = true;
    (void)state;
    for (long n = 0; failed; n++) {
        char text[100] = "no: c2VjL3JldCt3b3JkIQ==";
        left = n;
        p3_redact_secret(text, "sec/ret+word!");
        failed = left < 0;
        left = -1;
        assert_null(strstr(text, "c2VjL3Jl"));
        assert_non_null(strstr(text, "***"));
    }
}

static void a_short_text_stays_in_its_room(void **state)
{
    char text[] = "ab\0c";
    (void)state;
    left = 0;
    p3_redact_secret(text, "secret");
    left = -1;
    assert_memory_equal(text, "**\0c", sizeof text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_is_hidden_in_each_form),
        cmocka_unit_test(whichever_allocation_fails_nothing_is_shown_that_was_not_looked_through),
        cmocka_unit_test(a_short_text_stays_in_its_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Libraries that are loaded when they are first needed. */
#include "optional/library.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static double (*square_root)(double);

/* The mathematics library stands in for any other: every system has it. */
static const p3_symbol present[] = {{"sqrt", &square_root}};
static const p3_symbol absent[] = {{"sqrt", &square_root}, {"p3_no_such_function", &square_root}};

static void a_library_is_loaded_once_and_its_functions_are_found(void **state)
{
    (void)state;
    p3_library library = P3_LIBRARY("libm.so.6", present);
    assert_true(p3_library_load(&library));
    assert_true(square_root(9.0) == 3.0);
    square_root = NULL;
    assert_true(p3_library_load(&library));
    assert_null(square_root); /* it was not looked for again */
}

static void a_library_that_is_not_there_is_missing(void **state)
{
    (void)state;
    p3_library library = P3_LIBRARY("libno-such-library.so.0", present);
    assert_false(p3_library_load(&library));
    assert_false(p3_library_load(&library));
}

static void a_library_that_lacks_a_function_is_missing(void **state)
{
    (void)state;
    p3_library library = P3_LIBRARY("libm.so.6", absent);
    assert_false(p3_library_load(&library));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_library_is_loaded_once_and_its_functions_are_found),
        cmocka_unit_test(a_library_that_is_not_there_is_missing),
        cmocka_unit_test(a_library_that_lacks_a_function_is_missing),
    };
    return cmocka_run_group_tests_name("library", tests, NULL, NULL);
}

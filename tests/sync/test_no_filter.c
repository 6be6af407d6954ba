/* The command as a build without libseccomp has it: it says that there is no filter of system
 * calls, and does not pretend. */
#include "unit.h"

#include "confine/syscall_filter.h"

static void a_build_without_libseccomp_says_so(void **state)
{
    const p3_filter_needs needs = {.helper = -1};
    const char *why = NULL;
    (void)state;
    assert_false(p3_filter_is_there(&why));
    assert_string_equal(why, "built without libseccomp");
    why = NULL;
    assert_false(p3_filter_system_calls(&needs, &why));
    assert_string_equal(why, "built without libseccomp");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_build_without_libseccomp_says_so)};
    return cmocka_run_group_tests_name("no filter", tests, NULL, NULL);
}

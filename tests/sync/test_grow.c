/* Arrays that grow. */
#include "unit.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "support/grow.h"

static bool refuses;

void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);

void *__wrap_realloc(void *p, size_t size)
{
    return refuses ? NULL : __real_realloc(p, size);
}

static void what_is_there_stays_and_there_is_room_for_what_is_asked(void **state)
{
    static const size_t steps[] = {0, 1, 2, 100, 8192, 8193, 70000, 70001, 300000, 1000000};
    p3_room room = {0};
    uint32_t *at = NULL;
    size_t used = 0;
    (void)state;
    for (size_t k = 0; k < sizeof steps / sizeof *steps; k++) {
        assert_true(p3_grow(&at, &room, steps[k], sizeof *at));
        assert_true(room.octets >= steps[k] * sizeof *at);
        for (; used < room.octets / sizeof *at; used++)
            at[used] = (uint32_t)used * 2654435761U;
        for (size_t i = 0; i < used; i++)
            assert_int_equal(at[i], (uint32_t)i * 2654435761U);
    }
    free(at);
}

static void one_at_a_time_is_seldom_an_allocation(void **state)
{
    p3_room room = {0};
    char *at = NULL;
    unsigned pieces = 0;
    (void)state;
    for (size_t i = 0; i < 64 * 1024 * 1024; i += 100) {
        size_t before = room.octets;
        assert_true(p3_grow(&at, &room, i + 100, 1));
        pieces += room.octets != before;
        at[i] = at[i + 99] = 1;
    }
    assert_true(pieces < 40);
    assert_true(room.octets <= (size_t)96 * 1024 * 1024);
    free(at);
}

static void without_memory_the_array_is_as_it_was(void **state)
{
    p3_room room = {0};
    char *at = NULL;
    (void)state;
    refuses = true;
    assert_false(p3_grow(&at, &room, 1, 1));
    assert_null(at);
    refuses = false;
    assert_true(p3_grow(&at, &room, 10, 1));
    p3_room before = room;
    char *was = at;
    refuses = true;
    assert_false(p3_grow(&at, &room, room.octets + 1, 1));
    refuses = false;
    assert_false(p3_grow(&at, &room, SIZE_MAX / 8 + 1, 8));
    assert_ptr_equal(at, was);
    assert_memory_equal(&before, &room, sizeof room);
    free(at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_there_stays_and_there_is_room_for_what_is_asked),
        cmocka_unit_test(one_at_a_time_is_seldom_an_allocation),
        cmocka_unit_test(without_memory_the_array_is_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

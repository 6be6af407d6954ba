/* The queue of commands: a ring that grows and keeps its order. */
#include "spans.h"

#include <stdlib.h>

#include "core/queue.h"

static bool push(p3_queue *q, uint32_t number)
{
    p3_queued c = {.kind = POP3_CMD_RETR, .number = number};
    return p3_queue_push(q, &c);
}

static void first_in_is_first_out(void **state)
{
    (void)state;
    p3_queue q = {0};
    for (uint32_t i = 1; i <= 1000; i++)
        assert_true(push(&q, i));
    assert_int_equal(q.count, 1000);
    for (uint32_t i = 1; i <= 1000; i++) {
        assert_int_equal(p3_queue_at(&q, 0)->number, i);
        assert_int_equal(p3_queue_pop(&q).number, i);
    }
    assert_int_equal(q.count, 0);
    p3_queue_free(&q);
}

/* Pushes and pops in turn drive the head around the ring, at every fill from 1 to 20. */
static void the_order_holds_while_the_ring_turns_and_grows(void **state)
{
    (void)state;
    p3_queue q = {0};
    uint32_t in = 0;
    uint32_t out = 0;
    for (uint32_t fill = 1; fill <= 20; fill++) {
        for (int round = 0; round < 50; round++) {
            while (q.count < fill)
                assert_true(push(&q, ++in));
            for (size_t i = 0; i < q.count; i++)
                assert_int_equal(p3_queue_at(&q, i)->number, out + 1 + i);
            assert_int_equal(p3_queue_pop(&q).number, ++out);
        }
    }
    p3_queue_free(&q);
}

static void a_command_can_be_put_in_front(void **state)
{
    (void)state;
    p3_queue q = {0};
    for (uint32_t i = 0; i < 30; i++) {
        p3_queued c = {.kind = POP3_CMD_NOOP, .number = 1000 + i};
        assert_true(p3_queue_push_front(&q, &c)); /* also into an empty ring, and a full one */
        assert_true(push(&q, i + 1));
    }
    assert_int_equal(q.count, 60);
    for (uint32_t i = 0; i < 30; i++)
        assert_int_equal(p3_queue_pop(&q).number, 1029 - i);
    for (uint32_t i = 0; i < 30; i++)
        assert_int_equal(p3_queue_pop(&q).number, i + 1);
    p3_queue_free(&q);
}

static void the_place_of_a_command_is_kept_when_it_wraps(void **state)
{
    (void)state;
    p3_queue q = {0};
    for (uint32_t i = 1; i <= 8; i++)
        assert_true(push(&q, i));
    for (int i = 0; i < 5; i++)
        p3_queue_pop(&q);
    for (uint32_t i = 9; i <= 13; i++)
        assert_true(push(&q, i)); /* wraps: the ring holds 8 */
    assert_int_equal(q.cap, 8);
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(p3_queue_at(&q, i)->number, 6 + i);
    assert_true(push(&q, 14)); /* grows while wrapped */
    assert_int_equal(q.cap, 16);
    for (uint32_t i = 0; i < 9; i++)
        assert_int_equal(p3_queue_at(&q, i)->number, 6 + i);
    p3_queue_free(&q);
}

static void freeing_the_queue_frees_the_texts_in_it(void **state)
{
    (void)state;
    p3_queue q = {0};
    for (int i = 0; i < 20; i++) { /* a leak checker tells when one is left */
        p3_queued c = {.kind = POP3_CMD_USER, .text = malloc(8), .text_len = 8};
        assert_non_null(c.text);
        memset(c.text, 'x', 8);
        assert_true(p3_queue_push(&q, &c));
        if (i % 3 == 0) {
            p3_queued first = p3_queue_pop(&q);
            p3_queued_clear(&first);
            assert_null(first.text);
            assert_int_equal(first.text_len, 0);
        }
    }
    p3_queue_free(&q);
    assert_int_equal(q.count, 0);
    assert_null(q.ring);
    p3_queue_free(&q); /* an empty one has nothing to free */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_in_is_first_out),
        cmocka_unit_test(the_order_holds_while_the_ring_turns_and_grows),
        cmocka_unit_test(a_command_can_be_put_in_front),
        cmocka_unit_test(the_place_of_a_command_is_kept_when_it_wraps),
        cmocka_unit_test(freeing_the_queue_frees_the_texts_in_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

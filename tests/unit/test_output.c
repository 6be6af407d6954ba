/* The output: octets wait in order, and what has been sent, moved or freed is wiped. Memory that is
 * given back is looked at through a free() that this test stands in for (ld --wrap). */
#include "spans.h"

#include <stdlib.h>

#include "core/output.h"
#include "core/queue.h"
#include "core/wipe.h"

/* Looked for in each block given back while watching. */
static const char *secret;
static void *watched;
static size_t watched_size;
static size_t blocks_with_secret;

static bool holds(const char *data, size_t size, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= size; i++) {
        if (memcmp(data + i, word, n) == 0)
            return true;
    }
    return false;
}

void __real_free(void *p);
void __wrap_free(void *p);
void __wrap_free(void *p)
{
    if (secret != NULL && p != NULL && p == watched) {
        if (holds(p, watched_size, secret))
            blocks_with_secret++;
        watched = NULL;
    }
    __real_free(p);
}

/* The next free() of this block is to find it without the secret. */
static void watch(void *block, size_t size, const char *word)
{
    watched = block;
    watched_size = size;
    secret = word;
    blocks_with_secret = 0;
}

static void freed_without_secret(void)
{
    assert_null(watched); /* it was freed */
    assert_int_equal(blocks_with_secret, 0);
    secret = NULL;
}

static void add(p3_output *o, const char *text)
{
    size_t n = strlen(text);
    char *at = p3_output_reserve(o, n);
    assert_non_null(at);
    memcpy(at, text, n);
    p3_output_commit(o, n);
}

static pop3_str waiting(const p3_output *o)
{
    return octets(o->data + o->start, p3_output_waiting(o));
}

static void octets_wait_in_the_order_they_were_added(void **state)
{
    (void)state;
    p3_output o = {0};
    assert_int_equal(p3_output_waiting(&o), 0);
    add(&o, "USER a\r\n");
    add(&o, "STAT\r\n");
    assert_span(waiting(&o), "USER a\r\nSTAT\r\n");
    p3_output_sent(&o, 3);
    assert_span(waiting(&o), "R a\r\nSTAT\r\n");
    add(&o, "LIST\r\n");
    p3_output_sent(&o, 5);
    assert_span(waiting(&o), "STAT\r\nLIST\r\n");
    p3_output_sent(&o, p3_output_waiting(&o));
    assert_int_equal(p3_output_waiting(&o), 0);
    p3_output_free(&o);
}

static void reserved_octets_count_once_they_are_committed(void **state)
{
    (void)state;
    p3_output o = {0};
    char *at = p3_output_reserve(&o, 100);
    assert_non_null(at);
    memcpy(at, "NOOP\r\n", 6);
    assert_int_equal(p3_output_waiting(&o), 0);
    p3_output_commit(&o, 6);
    assert_span(waiting(&o), "NOOP\r\n");
    p3_output_free(&o);
}

static void what_was_sent_is_wiped_octet_for_octet(void **state)
{
    (void)state;
    p3_output o = {0};
    add(&o, "PASS hunter2\r\n");
    p3_output_sent(&o, 7);
    for (size_t i = 0; i < 7; i++)
        assert_int_equal(o.data[i], 0);
    assert_span(waiting(&o), "nter2\r\n");
    p3_output_sent(&o, 7);
    for (size_t i = 0; i < 14; i++)
        assert_int_equal(o.data[i], 0);
    p3_output_free(&o);
}

static void growing_wipes_the_buffer_it_leaves(void **state)
{
    (void)state;
    p3_output o = {0};
    add(&o, "PASS hunter2\r\n");
    watch(o.data, o.end, "hunter2");
    assert_non_null(p3_output_reserve(&o, 5000));
    freed_without_secret();
    assert_span(waiting(&o), "PASS hunter2\r\n");
    p3_output_free(&o);
}

static void octets_move_to_the_front_within_the_buffer_and_are_wiped_where_they_were(void **state)
{
    (void)state;
    p3_output o = {0};
    char *at = p3_output_reserve(&o, 1000);
    assert_non_null(at);
    memset(at, 'x', 1000);
    memcpy(at + 986, "PASS hunter2\r\n", 14);
    p3_output_commit(&o, 1000);
    p3_output_sent(&o, 986);
    const char *buffer = o.data;
    add(&o, "some forty octets that do not fit behind");
    assert_ptr_equal(o.data, buffer);
    assert_span(waiting(&o), "PASS hunter2\r\nsome forty octets that do not fit behind");
    assert_false(holds(o.data + o.end, 1000 - o.end, "hunter2"));
    p3_output_free(&o);
}

static void freeing_wipes_what_was_never_sent(void **state)
{
    (void)state;
    p3_output o = {0};
    add(&o, "PASS hunter2\r\n");
    watch(o.data, o.end, "hunter2");
    p3_output_free(&o);
    freed_without_secret();
    assert_null(o.data);
    p3_output_free(&o);
}

static void clearing_a_command_wipes_its_text(void **state)
{
    (void)state;
    p3_queued c = {.kind = POP3_CMD_PASS, .text = malloc(7), .text_len = 7};
    assert_non_null(c.text);
    memcpy(c.text, "hunter2", 7);
    watch(c.text, 7, "hunter2");
    p3_queued_clear(&c);
    freed_without_secret();
}

/* What makes the tests above able to fail. */
static void the_watch_sees_a_secret_that_was_not_wiped(void **state)
{
    (void)state;
    char *p = malloc(16);
    assert_non_null(p);
    memcpy(p, "....hunter2.....", 16);
    watch(p, 16, "hunter2");
    void (*volatile release)(void *) = free; /* the compiler knows what free() touches */
    release(p);
    assert_null(watched);
    assert_int_equal(blocks_with_secret, 1);
    secret = NULL;
}

static void wiping_nothing_is_allowed(void **state)
{
    (void)state;
    p3_wipe(NULL, 0);
    p3_wipe_free(NULL, 0);
    p3_wipe_free(NULL, 7);
    char octet = 'x';
    p3_wipe(&octet, 0);
    assert_int_equal(octet, 'x');
    p3_wipe(&octet, 1);
    assert_int_equal(octet, 0);
    p3_output o = {0};
    p3_output_sent(&o, 0);
    assert_int_equal(p3_output_waiting(&o), 0);
}

static void a_size_beyond_all_memory_is_refused(void **state)
{
    (void)state;
    p3_output o = {0};
    add(&o, "NOOP\r\n");
    assert_null(p3_output_reserve(&o, SIZE_MAX));
    assert_null(p3_output_reserve(&o, SIZE_MAX - 3));
    assert_span(waiting(&o), "NOOP\r\n");
    p3_output_free(&o);
}

static void many_small_additions_and_sends_keep_the_octets(void **state)
{
    (void)state;
    p3_output o = {0};
    unsigned char in = 0;
    unsigned char out = 0;
    for (size_t round = 0; round < 3000; round++) {
        size_t n = round * 7 % 40 + 1;
        char *at = p3_output_reserve(&o, n);
        assert_non_null(at);
        for (size_t i = 0; i < n; i++)
            at[i] = (char)in++;
        p3_output_commit(&o, n);
        size_t send = round * 13 % (p3_output_waiting(&o) + 1);
        for (size_t i = 0; i < send; i++)
            assert_int_equal((unsigned char)o.data[o.start + i], out++);
        p3_output_sent(&o, send);
    }
    p3_output_free(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(octets_wait_in_the_order_they_were_added),
        cmocka_unit_test(reserved_octets_count_once_they_are_committed),
        cmocka_unit_test(what_was_sent_is_wiped_octet_for_octet),
        cmocka_unit_test(growing_wipes_the_buffer_it_leaves),
        cmocka_unit_test(octets_move_to_the_front_within_the_buffer_and_are_wiped_where_they_were),
        cmocka_unit_test(freeing_wipes_what_was_never_sent),
        cmocka_unit_test(clearing_a_command_wipes_its_text),
        cmocka_unit_test(the_watch_sees_a_secret_that_was_not_wiped),
        cmocka_unit_test(wiping_nothing_is_allowed),
        cmocka_unit_test(a_size_beyond_all_memory_is_refused),
        cmocka_unit_test(many_small_additions_and_sends_keep_the_octets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

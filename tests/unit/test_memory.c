/* The engine's memory: none is asked for while a window is answered, a message is never copied,
 * running out at any point is told and leaks nothing. malloc() and its kin are stood in for (ld
 * --wrap). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pop3/engine.h>

static size_t allocations; /* since it was last set to 0 */
static size_t live;        /* blocks not yet freed */
static size_t fail_at;     /* the allocation that fails, counted from 1; 0: none */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void __wrap_free(void *p);

static void *counted(void *p)
{
    live += p != NULL;
    return p;
}

void *__wrap_malloc(size_t n)
{
    return ++allocations == fail_at ? NULL : counted(__real_malloc(n));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return ++allocations == fail_at ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t n)
{
    if (++allocations == fail_at)
        return NULL;
    void *moved = __real_realloc(p, n);
    live += p == NULL && moved != NULL;
    return moved;
}

void __wrap_free(void *p)
{
    live -= p != NULL;
    __real_free(p);
}

static pop3_command command_of(pop3_command_kind kind, uint32_t number, const char *text)
{
    pop3_command c = POP3_COMMAND_INIT;
    c.kind = kind;
    c.number = number;
    if (text != NULL)
        c.text = (pop3_str){text, strlen(text)};
    return c;
}

static size_t send_all(pop3_engine *e)
{
    size_t total = 0;
    size_t len;
    while (pop3_engine_output(e, &len), len > 0) {
        pop3_engine_sent(e, len);
        total += len;
    }
    return total;
}

/* Feeds text, takes all events and returns the number of DONE and GREETING events. */
static size_t feed_all(pop3_engine *e, const char *text)
{
    size_t ends = 0;
    pop3_event ev;
    assert_int_equal(pop3_engine_feed(e, text, strlen(text)), POP3_OK);
    while (pop3_engine_next(e, &ev))
        ends += ev.kind == POP3_EVENT_DONE || ev.kind == POP3_EVENT_GREETING;
    return ends;
}

static void answering_a_window_asks_for_no_memory(void **state)
{
    (void)state;
    enum { messages = 1000 };
    pop3_engine_options o = POP3_ENGINE_OPTIONS_INIT;
    o.pipelining = POP3_PIPELINING_ON;
    o.max_in_flight = 64;
    pop3_engine *e;
    assert_int_equal(pop3_engine_new(&e, &o), POP3_OK);
    feed_all(e, "+OK\r\n");
    for (uint32_t i = 1; i <= messages; i++) {
        pop3_command c = command_of(POP3_CMD_RETR, i, NULL);
        assert_int_equal(pop3_engine_submit(e, &c), POP3_OK);
    }
    send_all(e); /* the first window may need the output's buffer */
    allocations = 0;
    size_t ends = 0;
    for (uint32_t i = 1; i <= messages; i++) {
        ends += feed_all(e, "+OK 2000 octets\r\nFrom: a\r\n\r\n..dot");
        ends += feed_all(e, "ted\r\n.\r\n"); /* a cut inside the message */
        send_all(e);
    }
    assert_int_equal(ends, messages);
    assert_int_equal(allocations, 0);
    pop3_engine_free(e);
}

static void submitting_a_command_without_text_asks_for_memory_only_to_grow_the_queue(void **state)
{
    (void)state;
    pop3_engine *e;
    assert_int_equal(pop3_engine_new(&e, NULL), POP3_OK);
    allocations = 0;
    for (uint32_t i = 1; i <= 8000; i++) {
        pop3_command c = command_of(POP3_CMD_RETR, i, NULL);
        assert_int_equal(pop3_engine_submit(e, &c), POP3_OK);
    }
    assert_in_range(allocations, 1, 12); /* doublings */
    pop3_engine_free(e);
}

/* Every chunk is either in what was fed or the same few octets of static storage. */
static void a_message_is_never_copied(void **state)
{
    (void)state;
    static const char data[] = "+OK\r\nFrom: a\r\n\r\n..stuffed\r\n.not stuffed\r\n.\rx\r\n"
                               "plain\r\n..\r\n.\r\n";
    static const char octets[] =
        "From: a\r\n\r\n.stuffed\r\n.not stuffed\r\n.\rx\r\nplain\r\n.\r\n";
    for (size_t piece = 1; piece < sizeof data; piece++) {
        pop3_engine *e;
        assert_int_equal(pop3_engine_new(&e, NULL), POP3_OK);
        feed_all(e, "+OK\r\n");
        pop3_command c = command_of(POP3_CMD_RETR, 1, NULL);
        assert_int_equal(pop3_engine_submit(e, &c), POP3_OK);
        send_all(e);
        size_t got = 0;
        size_t outside = 0;
        for (size_t at = 0; at < sizeof data - 1; at += piece) {
            size_t n = sizeof data - 1 - at < piece ? sizeof data - 1 - at : piece;
            assert_int_equal(pop3_engine_feed(e, data + at, n), POP3_OK);
            pop3_event ev;
            while (pop3_engine_next(e, &ev)) {
                if (ev.kind != POP3_EVENT_BODY)
                    continue;
                assert_memory_equal(ev.data.data, octets + got, ev.data.len);
                got += ev.data.len;
                if (ev.data.data < data + at || ev.data.data + ev.data.len > data + at + n) {
                    assert_in_range(ev.data.len, 1, 2); /* a dot, perhaps a CR, held back */
                    outside += ev.data.len;
                }
            }
        }
        assert_int_equal(got, sizeof octets - 1);
        assert_in_range(outside, 0, 3);
        assert_int_equal(pop3_engine_pending(e), 0);
        pop3_engine_free(e);
    }
}

static void the_size_of_a_message_does_not_show_in_memory(void **state)
{
    (void)state;
    pop3_engine *e;
    assert_int_equal(pop3_engine_new(&e, NULL), POP3_OK);
    feed_all(e, "+OK\r\n");
    pop3_command c = command_of(POP3_CMD_RETR, 1, NULL);
    assert_int_equal(pop3_engine_submit(e, &c), POP3_OK);
    send_all(e);
    feed_all(e, "+OK\r\n");
    allocations = 0;
    for (int i = 0; i < 100000; i++)
        feed_all(e, "a line without an end ");
    for (int i = 0; i < 100000; i++)
        feed_all(e, "a line\r\n..another\r\n");
    assert_int_equal(feed_all(e, ".\r\n"), 1);
    assert_int_equal(allocations, 0);
    pop3_engine_free(e);
}

/* How a session with a failing allocation went. */
typedef struct tally {
    size_t submitted; /* commands that were accepted */
    size_t ended;     /* DONE events */
    bool failed;      /* something did not work: the session goes no further */
} tally;

static void ask(pop3_engine *e, tally *t, pop3_command_kind kind, uint32_t number, const char *text)
{
    pop3_command c = command_of(kind, number, text);
    if (kind == POP3_CMD_AUTH)
        c.initial = (pop3_str){"QUJD", 4};
    pop3_status status = pop3_engine_submit(e, &c);
    if (status == POP3_OK) {
        t->submitted++;
        return;
    }
    assert_true(status == POP3_ERR_MEMORY || status == POP3_ERR_STATE);
    t->failed = true;
}

/* The server's next words, unless something has failed already. */
static void answer(pop3_engine *e, tally *t, const char *text)
{
    send_all(e);
    if (t->failed || pop3_engine_state(e) == POP3_STATE_DEAD)
        return;
    pop3_event ev;
    assert_int_equal(pop3_engine_feed(e, text, strlen(text)), POP3_OK);
    while (pop3_engine_next(e, &ev)) {
        t->ended += ev.kind == POP3_EVENT_DONE;
        if (ev.kind != POP3_EVENT_CHALLENGE)
            continue;
        char response[3000];
        memset(response, 'A', sizeof response); /* longer than the output's first buffer */
        pop3_status status = pop3_engine_respond(e, (pop3_str){response, sizeof response});
        assert_true(status == POP3_OK || status == POP3_ERR_MEMORY);
        t->failed = t->failed || status != POP3_OK;
    }
    t->failed = t->failed || pop3_engine_state(e) == POP3_STATE_DEAD;
}

static void whole_session(pop3_engine *e, tally *t)
{
    answer(e, t, "+OK ready <a@b>\r\n");
    ask(e, t, POP3_CMD_CAPA, 0, NULL);
    answer(e, t, "+OK\r\nSTLS\r\nSASL PLAIN LOGIN\r\nSASL X\r\nIMPLEMENTATION y\r\n.\r\n");
    ask(e, t, POP3_CMD_STLS, 0, NULL);
    answer(e, t, "+OK\r\n");
    if (!t->failed)
        pop3_engine_tls_started(e);
    ask(e, t, POP3_CMD_AUTH, 0, "X");
    answer(e, t, "+ QUJD\r\n");
    answer(e, t, "-ERR\r\n");
    ask(e, t, POP3_CMD_USER, 0, "a");
    ask(e, t, POP3_CMD_PASS, 0, "b");
    answer(e, t, "+OK\r\n");
    answer(e, t, "+OK\r\n");
    for (uint32_t i = 1; i <= 32; i++) /* they fill the queue: CAPA in front makes it grow */
        ask(e, t, POP3_CMD_DELE, i, NULL);
    answer(e, t, "+OK\r\nPIPELINING\r\n.\r\n");
    for (uint32_t i = 1; i <= 32; i++)
        answer(e, t, "+OK\r\n");
    ask(e, t, POP3_CMD_RETR, 33, NULL);
    answer(e, t, "+OK\r\na\n.\r\n"); /* doubtful */
    answer(e, t, "+OK\r\n");
    ask(e, t, POP3_CMD_QUIT, 0, NULL);
    answer(e, t, "+OK\r\n");
}

/* Fails the n-th allocation for n = 1, 2, ... until the session passes untouched. */
static void running_out_of_memory_anywhere_is_told_and_leaks_nothing(void **state)
{
    (void)state;
    bool untouched = false;
    size_t n;
    for (n = 1; !untouched; n++) {
        size_t live_before = live;
        tally t = {0};
        allocations = 0;
        fail_at = n;
        pop3_engine *e;
        pop3_status status = pop3_engine_new(&e, NULL);
        if (status == POP3_OK) {
            whole_session(e, &t);
            untouched = allocations < n;
            assert_int_equal(t.failed, !untouched);
            if (pop3_engine_state(e) == POP3_STATE_DEAD)
                assert_int_equal(pop3_engine_error(e, NULL), POP3_ERR_MEMORY);
            fail_at = 0;
            pop3_engine_fail(e, POP3_ERR_MEMORY);
            pop3_event ev;
            while (pop3_engine_next(e, &ev))
                t.ended += ev.kind == POP3_EVENT_DONE;
            assert_int_equal(t.ended, t.submitted); /* each command ended once, whatever happened */
            assert_int_equal(pop3_engine_pending(e), 0);
            pop3_engine_free(e);
        } else {
            assert_int_equal(status, POP3_ERR_MEMORY);
            assert_null(e);
        }
        fail_at = 0;
        assert_int_equal(live, live_before);
    }
    assert_in_range(n, 15, 60); /* the loop did fail something at each turn */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answering_a_window_asks_for_no_memory),
        cmocka_unit_test(submitting_a_command_without_text_asks_for_memory_only_to_grow_the_queue),
        cmocka_unit_test(a_message_is_never_copied),
        cmocka_unit_test(the_size_of_a_message_does_not_show_in_memory),
        cmocka_unit_test(running_out_of_memory_anywhere_is_told_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

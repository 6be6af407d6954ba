/* Messages beyond 4 GiB: their octets are counted in 64 bits, also where a size_t has 32. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <pop3/engine.h>

#define PIECE  ((size_t)1 << 20)
#define PIECES 4096 /* 4 GiB */
#define SIZE   (UINT64_C(4294967296) + 13)

/* What came of a retrieval. */
typedef struct outcome {
    uint64_t octets;
    pop3_status status;
    pop3_size_match size;
} outcome;

static void feed(pop3_engine *e, const char *data, size_t len, outcome *o)
{
    pop3_event event;
    assert_int_equal(pop3_engine_feed(e, data, len), POP3_OK);
    while (pop3_engine_next(e, &event)) {
        if (event.kind == POP3_EVENT_BODY)
            o->octets += event.data.len;
        if (event.kind == POP3_EVENT_DONE) {
            o->status = event.status;
            o->size = event.size;
        }
    }
}

static void feed_text(pop3_engine *e, const char *text, outcome *o)
{
    feed(e, text, strlen(text), o);
}

/* Retrieves a message of SIZE octets, which is announced with another size. */
static outcome retrieve(uint64_t announced, uint64_t limit)
{
    static char piece[PIECE];
    outcome o = {.status = POP3_ERR_STATE};
    pop3_engine_options options = POP3_ENGINE_OPTIONS_INIT;
    pop3_command retr = POP3_COMMAND_INIT;
    pop3_engine *e = NULL;
    char reply[64];
    size_t len;
    memset(piece, 'x', sizeof piece);
    memcpy(piece + sizeof piece - 2, "\r\n", 2);
    options.limits.message_octets = limit;
    assert_int_equal(pop3_engine_new(&e, &options), POP3_OK);
    feed_text(e, "+OK ready\r\n", &o);
    retr.kind = POP3_CMD_RETR;
    retr.number = 1;
    assert_int_equal(pop3_engine_submit(e, &retr), POP3_OK);
    (void)pop3_engine_output(e, &len);
    pop3_engine_sent(e, len);
    snprintf(reply, sizeof reply, "+OK %llu octets\r\n", (unsigned long long)announced);
    feed_text(e, reply, &o);
    for (int i = 0; i < PIECES; i++)
        feed(e, piece, sizeof piece, &o);
    feed_text(e, "..the dot\r\n..\r\n.\r\n", &o); /* 13 octets of the message */
    pop3_engine_free(e);
    return o;
}

static void a_size_is_compared_beyond_its_lower_32_bits(void **state)
{
    (void)state;
    outcome o = retrieve((uint32_t)SIZE, SIZE);
    assert_int_equal(o.status, POP3_OK);
    assert_true(o.octets == SIZE);
    assert_int_equal(o.size, POP3_SIZE_DIFFERS);
}

static void a_limit_beyond_4_gib_holds_to_the_octet(void **state)
{
    (void)state;
    assert_int_equal(retrieve(SIZE, SIZE - 1).status, POP3_ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_size_is_compared_beyond_its_lower_32_bits),
        cmocka_unit_test(a_limit_beyond_4_gib_holds_to_the_octet),
    };
    return cmocka_run_group_tests_name("large", tests, NULL, NULL);
}

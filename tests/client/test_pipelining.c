/* Many commands at a time: round trips, refusals within a window, servers that cannot do it, and
 * what is never sent together. */
#define _POSIX_C_SOURCE 200809L
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What came of a message. */
typedef struct outcome {
    unsigned ends; /* calls of done */
    pop3_status status;
    uint64_t octets;
    bool sent;
} outcome;

/* Outcomes by message number, and the order in which they came. */
typedef struct record {
    outcome *of;
    uint32_t last;   /* whose done was called last */
    uint64_t octets; /* that the sink has had since */
} record;

static pop3_sink_result record_octets(void *ctx, const char *data, size_t len)
{
    record *r = ctx;
    (void)data;
    r->octets += len;
    return POP3_SINK_CONTINUE;
}

static void record_end(void *ctx, pop3_client *c, const pop3_result *result)
{
    record *r = ctx;
    outcome *o = &r->of[result->number];
    (void)c;
    assert_int_equal(result->octets, r->octets); /* the sink's calls are between the ends */
    assert_int_equal(result->number, r->last + 1);
    o->ends++;
    o->status = result->status;
    o->octets = r->octets;
    o->sent = result->sent;
    r->last = result->number;
    r->octets = 0;
}

/* Retrieves messages 1 to count; or their headers and so many lines. */
static pop3_status retrieve_lines(pop3_client *c, uint32_t count, record *r, const uint32_t *lines)
{
    uint32_t *numbers = calloc(count, sizeof *numbers);
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    assert_non_null(numbers);
    for (uint32_t i = 0; i < count; i++)
        numbers[i] = i + 1;
    *r = (record){.of = calloc(count + 1, sizeof *r->of)};
    assert_non_null(r->of);
    handlers.sink = record_octets;
    handlers.done = record_end;
    handlers.ctx = r;
    pop3_status status = lines != NULL ? pop3_client_top_many(c, numbers, count, *lines, &handlers)
                                       : pop3_client_retr_many(c, numbers, count, &handlers);
    free(numbers);
    return status;
}

static pop3_status retrieve(pop3_client *c, uint32_t count, record *r)
{
    return retrieve_lines(c, count, r, NULL);
}

/* A folder of `count` messages, of which number n has n % 50 lines. Each program makes it once. */
static const char *folder_of_messages(unsigned count)
{
    char folder[30];
    snprintf(folder, sizeof folder, "mail-%u", count);
    bool made = mkdir(scratch_file(folder), 0700) == 0;
    for (unsigned n = 1; made && n <= count; n++) {
        char name[50];
        text message = {0};
        snprintf(name, sizeof name, "%s/%05u", folder, n);
        text_print(&message, "Subject: %u\r\n\r\n", n);
        for (unsigned i = 0; i < n % 50; i++)
            text_print(&message, "line %u of the message\r\n", i);
        assert_true(text_to_file(scratch_file(name), message.data, message.len));
        free(message.data);
    }
    return scratch_file(folder);
}

static void a_session_of_1000_messages_costs_at_most_10_round_trips(void **state)
{
    fixture *f = *state;
    record r;
    serve(f, NULL, "--mail", folder_of_messages(1000), "--log-reads", NULL);
    pop3_client *c = client_connected(f);
    pop3_stat drop;
    assert_ok(c, pop3_client_user(c, "joe"));
    assert_ok(c, pop3_client_pass(c, "x"));
    assert_ok(c, pop3_client_stat(c, &drop));
    assert_int_equal(drop.count, 1000);
    assert_ok(c, retrieve(c, 1000, &r));
    assert_ok(c, pop3_client_quit(c));
    for (uint32_t n = 1; n <= 1000; n++) {
        assert_int_equal(r.of[n].ends, 1);
        assert_int_equal(r.of[n].status, POP3_OK);
    }
    char *log = server_log(&f->server);
    size_t reads = text_count(log, "1 read ");
    size_t retrs = text_count(log, "1 C: RETR ");
    free(log);
    free(r.of);
    assert_int_equal(retrs, 1000);
    assert_in_range(reads, 1, 10);
}

static void a_refused_message_within_the_window_fails_alone(void **state)
{
    fixture *f = *state;
    record r;
    serve(f, NULL, "--mail", folder_of_messages(100), "--refuse", "RETR 3", "--error",
          "PASS [AUTH] no", NULL);
    f->options.engine.pipelining = POP3_PIPELINING_ON;
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_client_user(c, "joe"));
    assert_status(POP3_ERR_REFUSED,
                  pop3_client_pass(c, "x")); /* never logged in: all are refused */
    assert_ok(c, retrieve(c, 5, &r));
    assert_int_equal(r.of[5].status, POP3_ERR_REFUSED);
    free(r.of);
    script_is_met(f);
    serve(f, NULL, "--mail", folder_of_messages(100), "--refuse", "RETR 3", NULL);
    c = client_connected(f);
    assert_ok(c, pop3_client_user(c, "joe"));
    assert_ok(c, pop3_client_pass(c, "x"));
    assert_ok(c, retrieve(c, 100, &r));
    for (uint32_t n = 1; n <= 100; n++)
        assert_int_equal(r.of[n].status, n == 3 ? POP3_ERR_REFUSED : POP3_OK);
    assert_error(c, POP3_ERR_REFUSED, "RETR 3: ");
    assert_ok(c, pop3_client_quit(c));
    free(r.of);
}

static void
a_server_that_drops_what_is_pipelined_times_out_and_nothing_is_taken_for_whole(void **state)
{
    fixture *f = *state;
    record r = {0};
    pop3_client *c;
    pop3_status status;
    char expected[60];
    serve(f, NULL, "--mail", folder_of_messages(100), "--discard-pipelined", NULL);
    f->options.timeout_ms = 50;
    do {
        free(r.of);
        r.of = NULL;
        c = client_connected(f);
        status = pop3_client_user(c, "joe");
        if (status == POP3_OK)
            status = pop3_client_pass(c, "x");
        if (status == POP3_OK)
            status = retrieve(c, 100, &r);
    } while (
        needs_more_time(f, status, r.of != NULL && r.of[1].status == POP3_OK ? "RETR " : NULL));
    snprintf(expected, sizeof expected, "the server did not answer within %d ms",
             f->options.timeout_ms);
    assert_error(c, POP3_ERR_TIMEOUT, expected);
    unsigned whole = 0;
    for (uint32_t n = 1; n <= 100; n++) {
        assert_int_equal(r.of[n].ends, 1);
        whole += r.of[n].status == POP3_OK;
        if (r.of[n].status != POP3_OK)
            assert_status(POP3_ERR_TIMEOUT, r.of[n].status);
    }
    assert_in_range(whole, 1, 99);
    free(r.of);
    script_is_met(f);

    /* Without pipelining the same server gives them all. */
    serve(f, NULL, "--mail", folder_of_messages(100), "--discard-pipelined", NULL);
    f->options.engine.pipelining = POP3_PIPELINING_OFF;
    c = client_connected(f);
    assert_ok(c, pop3_client_user(c, "joe"));
    assert_ok(c, pop3_client_pass(c, "x"));
    assert_ok(c, retrieve(c, 100, &r));
    assert_int_equal(r.of[100].status, POP3_OK);
    assert_ok(c, pop3_client_quit(c));
    free(r.of);
}

static void a_server_that_does_not_announce_it_gets_one_command_at_a_time(void **state)
{
    fixture *f = *state;
    record r;
    serve(f, NULL, "--mail", folder_of_messages(100), "--no-pipelining", NULL);
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_client_user(c, "joe"));
    assert_ok(c, pop3_client_pass(c, "x"));
    assert_ok(c, retrieve(c, 100, &r));
    for (uint32_t n = 1; n <= 100; n++)
        assert_int_equal(r.of[n].status, POP3_OK);
    assert_ok(c, pop3_client_quit(c));
    char *log = server_log(&f->server);
    assert_int_equal(text_count(log, "discarded"), 0);
    assert_int_equal(text_count(log, "C: CAPA"), 1);
    free(log);
    free(r.of);
}

static void off_means_strictly_one_at_a_time(void **state)
{
    fixture *f = *state;
    record r;
    play(f,
         "line '+OK'; expect 'CAPA'; capa PIPELINING\n"
         "expect 'RETR 1'; expect-silence 20; send '+OK\\r\\nx\\r\\n.\\r\\n'\n"
         "expect 'RETR 2'; expect-silence 20; line '-ERR'\n"
         "expect 'RETR 3'; expect-silence 20; send '+OK\\r\\nx\\r\\n.\\r\\n'; expect-eof",
         NULL);
    f->options.engine.pipelining = POP3_PIPELINING_OFF;
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_client_capa(c, NULL));
    assert_ok(c, retrieve(c, 3, &r));
    free(r.of);
}

static void on_means_together_without_asking(void **state)
{
    fixture *f = *state;
    record r;
    play(f,
         "line '+OK'; expect 'RETR 1'; expect 'RETR 2'; expect 'RETR 3'\n"
         "send '+OK\\r\\na\\r\\n.\\r\\n-ERR no\\r\\n' '+OK\\r\\nccc\\r\\n.\\r\\n'; expect-eof",
         NULL);
    f->options.engine.pipelining = POP3_PIPELINING_ON;
    pop3_client *c = client_connected(f);
    assert_ok(c, retrieve(c, 3, &r));
    assert_int_equal(r.of[1].octets, 3);
    assert_status(POP3_ERR_REFUSED, r.of[2].status);
    assert_int_equal(r.of[3].octets, 5);
    free(r.of);
}

static void no_more_than_the_allowed_number_is_in_flight(void **state)
{
    fixture *f = *state;
    record r;
    play(f,
         "line '+OK'\n"
         "expect 'RETR 1'; expect 'RETR 2'; expect-silence 20\n"
         "send '+OK\\r\\n1\\r\\n.\\r\\n' '+OK\\r\\n2\\r\\n.\\r\\n'\n"
         "expect 'RETR 3'; expect 'RETR 4'; expect-silence 20\n"
         "send '+OK\\r\\n3\\r\\n.\\r\\n' '+OK\\r\\n4\\r\\n.\\r\\n'; expect-eof",
         NULL);
    f->options.engine.pipelining = POP3_PIPELINING_ON;
    f->options.engine.max_in_flight = 2;
    pop3_client *c = client_connected(f);
    assert_ok(c, retrieve(c, 4, &r));
    assert_int_equal(r.of[4].status, POP3_OK);
    free(r.of);
}

static void the_end_within_a_window_ends_each_command_once(void **state)
{
    fixture *f = *state;
    record r;
    play(f,
         "line '+OK'; expect 'RETR 1'; expect 'RETR 2'; expect 'RETR 3'\n"
         "send '+OK\\r\\na\\r\\n.\\r\\n+OK\\r\\nhalf\\r\\n'; close",
         NULL);
    f->options.engine.pipelining = POP3_PIPELINING_ON;
    f->options.engine.max_in_flight = 3; /* the fourth waits when the end comes */
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_CLOSED, retrieve(c, 4, &r));
    static const pop3_status expected[] = {POP3_OK, POP3_OK, POP3_ERR_CLOSED, POP3_ERR_CLOSED,
                                           POP3_ERR_CLOSED};
    for (uint32_t n = 1; n <= 4; n++) {
        assert_int_equal(r.of[n].ends, 1);
        assert_status(expected[n], r.of[n].status);
    }
    assert_true(r.of[2].sent);
    assert_true(r.of[3].sent);
    assert_false(r.of[4].sent);
    assert_error(c, POP3_ERR_CLOSED, "RETR 2: ");
    assert_status(POP3_ERR_STATE, pop3_client_retr_many(c, (const uint32_t[]){1}, 1, NULL));
    free(r.of);
}

static void the_client_reads_while_it_writes(void **state)
{
    fixture *f = *state;
    record r;
    text script = {0};
    /* 20,000 commands and 20 MB of answers: neither fits into what the sockets hold. */
    text_print(&script,
               "line '+OK'\nrepeat 20000 {\nexpect-prefix 'RETR '\n"
               "send '+OK\\r\\n%0*d\\r\\n.\\r\\n'\n}\nexpect 'NOOP'; line '+OK'",
               998, 0);
    serve(f, script.data, NULL);
    free(script.data);
    f->options.engine.pipelining = POP3_PIPELINING_ON;
    f->options.engine.max_in_flight = 20000;
    pop3_client *c = client_connected(f);
    assert_ok(c, retrieve(c, 20000, &r));
    for (uint32_t n = 1; n <= 20000; n++)
        assert_int_equal(r.of[n].octets, 1000);
    assert_ok(c, pop3_client_noop(c));
    free(r.of);
}

static pop3_command command(pop3_command_kind kind, const char *argument)
{
    pop3_command made = POP3_COMMAND_INIT;
    made.kind = kind;
    if (argument != NULL)
        made.text = (pop3_str){argument, strlen(argument)};
    return made;
}

static void nothing_is_sent_across_a_barrier(void **state)
{
    fixture *f = *state;
    play(f,
         "line '+OK'; expect 'USER joe'; expect 'PASS x'; expect-silence 20; line '+OK'\n"
         "expect-silence 20; line '+OK'\n"
         "expect 'STAT'; expect 'NOOP'; expect-silence 20; line '+OK 0 0'; line '+OK'\n"
         "expect 'XRAW'; expect-silence 20; line '+OK'\n"
         "expect 'DELE'; expect-silence 20; send '+OK\\r\\n.\\r\\n'\n"
         "expect 'NOOP'; expect 'RSET'; expect-silence 20; line '+OK'; line '+OK'\n"
         "expect 'QUIT'; line '+OK'; expect-eof",
         NULL);
    f->options.engine.pipelining = POP3_PIPELINING_ON;
    pop3_client *c = client_connected(f);
    const pop3_command commands[] = {
        command(POP3_CMD_USER, "joe"), command(POP3_CMD_PASS, "x"),
        command(POP3_CMD_STAT, NULL),  command(POP3_CMD_NOOP, NULL),
        command(POP3_CMD_RAW, "XRAW"), command(POP3_CMD_RAW_LIST, "DELE"),
        command(POP3_CMD_NOOP, NULL),  command(POP3_CMD_RSET, NULL),
        command(POP3_CMD_QUIT, NULL),
    };
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        assert_status(POP3_OK, pop3_client_submit(c, &commands[i], NULL));
    assert_ok(c, pop3_client_run(c));
}

static void what_comes_unasked_behind_the_last_answer_is_told_though_each_was_answered(void **state)
{
    fixture *f = *state;
    record r;
    play(f,
         "line '+OK'; expect 'RETR 1'; expect 'RETR 2'\n"
         "send '+OK\\r\\n1\\r\\n.\\r\\n' '-ERR no\\r\\n' '-ERR good-bye\\r\\n'; expect-eof",
         NULL);
    f->options.engine.pipelining = POP3_PIPELINING_ON;
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_CLOSED, retrieve(c, 2, &r));
    assert_error(c, POP3_ERR_CLOSED, "good-bye");
    assert_status(POP3_OK, r.of[1].status);
    assert_status(POP3_ERR_REFUSED, r.of[2].status);
    free(r.of);
}

static void many_headers_share_a_window_and_a_refusal_fails_alone(void **state)
{
    fixture *f = *state;
    record r;
    play(f,
         "line '+OK'; expect 'TOP 1 2'; expect 'TOP 2 2'; expect 'TOP 3 2'\n"
         "send '+OK\\r\\na\\r\\n.\\r\\n-ERR no\\r\\n' '+OK\\r\\nccc\\r\\n.\\r\\n'; expect-eof",
         NULL);
    f->options.engine.pipelining = POP3_PIPELINING_ON;
    assert_ok(f->client, retrieve_lines(client_connected(f), 3, &r, &(uint32_t){2}));
    assert_int_equal(r.of[1].octets, 3);
    assert_status(POP3_ERR_REFUSED, r.of[2].status);
    assert_int_equal(r.of[3].octets, 5);
    free(r.of);
}

static void what_is_wrong_with_many_is_told_by_the_commands_name(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK'; expect-eof", NULL);
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_ARGUMENT, pop3_client_top_many(c, (const uint32_t[]){1, 0}, 2, 0, NULL));
    assert_error(c, POP3_ERR_ARGUMENT, "TOP: message numbers begin at 1");
    assert_status(POP3_ERR_ARGUMENT, pop3_client_retr_many(c, NULL, 1, NULL));
    assert_error(c, POP3_ERR_ARGUMENT, "RETR: no message numbers");
    pop3_client_close(c);
    assert_status(POP3_ERR_STATE, pop3_client_top_many(c, (const uint32_t[]){1}, 1, 0, NULL));
    assert_error(c, POP3_ERR_STATE, "TOP: there is no connection");
}

static void many_of_none_is_done_at_once(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK'; expect-eof", NULL);
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_client_retr_many(c, NULL, 0, NULL));
}

static void many_go_with_a_window_of_any_size(void **state)
{
    fixture *f = *state;
    record r;
    play(f, "line '+OK'; expect 'RETR 1'; send '+OK\\r\\n1\\r\\n.\\r\\n'; expect-eof", NULL);
    f->options.engine.pipelining = POP3_PIPELINING_ON;
    f->options.engine.max_in_flight = UINT32_MAX;
    assert_ok(f->client, retrieve(client_connected(f), 1, &r));
    free(r.of);
}

int main(void)
{
    const struct CMUnitTest both[] = {
        cmocka_unit_test(a_session_of_1000_messages_costs_at_most_10_round_trips),
        cmocka_unit_test(a_refused_message_within_the_window_fails_alone),
        cmocka_unit_test(
            a_server_that_drops_what_is_pipelined_times_out_and_nothing_is_taken_for_whole),
        cmocka_unit_test(a_server_that_does_not_announce_it_gets_one_command_at_a_time),
        cmocka_unit_test(off_means_strictly_one_at_a_time),
        cmocka_unit_test(on_means_together_without_asking),
        cmocka_unit_test(no_more_than_the_allowed_number_is_in_flight),
        cmocka_unit_test(the_end_within_a_window_ends_each_command_once),
        cmocka_unit_test(the_client_reads_while_it_writes),
        cmocka_unit_test(nothing_is_sent_across_a_barrier),
        cmocka_unit_test(
            what_comes_unasked_behind_the_last_answer_is_told_though_each_was_answered),
        cmocka_unit_test(many_headers_share_a_window_and_a_refusal_fails_alone),
        cmocka_unit_test(what_is_wrong_with_many_is_told_by_the_commands_name),
        cmocka_unit_test(many_of_none_is_done_at_once),
        cmocka_unit_test(many_go_with_a_window_of_any_size),
    };
    return run_suite("pipelining", NULL, 0, both, sizeof both / sizeof *both);
}

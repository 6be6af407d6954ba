/* The event-loop interface: start, submit, step, waits and deadline, with a poll(2) of the test's
 * own; and what callbacks may do. */
#define _POSIX_C_SOURCE 200809L
#include "support/suite.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define CONNECTIONS 50

static pop3_command command(pop3_command_kind kind, const char *argument)
{
    pop3_command made = POP3_COMMAND_INIT;
    made.kind = kind;
    if (argument != NULL)
        made.text = (pop3_str){argument, strlen(argument)};
    return made;
}

/* What a connection of many has done. */
typedef struct worker {
    pop3_client *client;
    unsigned messages;
    uint64_t octets;
    bool over;
} worker;

static pop3_sink_result count_octets(void *ctx, const char *data, size_t len)
{
    worker *w = ctx;
    (void)data;
    w->octets += len;
    return POP3_SINK_CONTINUE;
}

static void submit(worker *w, const pop3_command *what, pop3_done_fn done)
{
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    handlers.sink = count_octets;
    handlers.done = done;
    handlers.ctx = w;
    assert_status(POP3_OK, pop3_client_submit(w->client, what, &handlers));
}

static void count_message(void *ctx, pop3_client *c, const pop3_result *result)
{
    worker *w = ctx;
    (void)c;
    assert_status(POP3_OK, result->status);
    w->messages++;
}

/* The drop is known: asks for all of it, from within the callback. */
static void fetch_all(void *ctx, pop3_client *c, const pop3_result *result)
{
    worker *w = ctx;
    (void)c;
    assert_status(POP3_OK, result->status);
    pop3_command retr = command(POP3_CMD_RETR, NULL);
    for (uint32_t n = 1; n <= result->stat.count; n++) {
        retr.number = n;
        submit(w, &retr, count_message);
    }
    pop3_command quit = command(POP3_CMD_QUIT, NULL);
    submit(w, &quit, NULL);
}

static void begin(worker *w, const pop3_client_options *o)
{
    const pop3_command user = command(POP3_CMD_USER, "joe");
    const pop3_command pass = command(POP3_CMD_PASS, "secret");
    const pop3_command stat = command(POP3_CMD_STAT, NULL);
    assert_status(POP3_OK, pop3_client_new(&w->client, o));
    assert_status(POP3_OK, pop3_client_start(w->client));
    submit(w, &user, NULL);
    submit(w, &pass, NULL);
    submit(w, &stat, fetch_all);
}

static const char *folder_of_three(void)
{
    mkdir(scratch_file("three"), 0700);
    text_to_file(scratch_file("three/1"), "Subject: 1\r\n\r\n", 14);
    text_to_file(scratch_file("three/2"), "Subject: 2\r\n\r\n.\r\n", 17);
    text_to_file(scratch_file("three/3"), "Subject: 3\r\n\r\nend\r\n", 19);
    return scratch_file("three");
}

static void fifty_connections_share_a_thread(void **state)
{
    fixture *f = *state;
    worker workers[CONNECTIONS] = {0};
    pop3_client *waiting[CONNECTIONS];
    size_t open = CONNECTIONS;
    serve(f, NULL, "--mail", folder_of_three(), NULL);
    for (size_t i = 0; i < CONNECTIONS; i++)
        begin(&workers[i], &f->options);
    while (open > 0) {
        open = 0;
        for (size_t i = 0; i < CONNECTIONS; i++) {
            worker *w = &workers[i];
            pop3_status status = w->over ? POP3_OK : pop3_client_step(w->client);
            if (status == POP3_PENDING)
                waiting[open++] = w->client;
            else if (!w->over)
                assert_ok(w->client, status);
            w->over = status != POP3_PENDING;
        }
        if (open > 0)
            wait_for_clients(waiting, open);
    }
    for (size_t i = 0; i < CONNECTIONS; i++) {
        assert_int_equal(workers[i].messages, 3);
        assert_int_equal(workers[i].octets, 14 + 17 + 19);
        pop3_client_free(workers[i].client);
    }
}

/* Writes down what happens, in the order in which it does. */
typedef struct diary {
    text entries;
    pop3_client *client;
} diary;

static pop3_sink_result note_octets(void *ctx, const char *data, size_t len)
{
    diary *d = ctx;
    text_print(&d->entries, "[%.*s]", (int)len, data);
    return POP3_SINK_CONTINUE;
}

static void note_end(void *ctx, pop3_client *c, const pop3_result *result)
{
    diary *d = ctx;
    (void)c;
    text_print(&d->entries, "%s %u %s;", pop3_command_name(result->command),
               (unsigned)result->number, pop3_status_name(result->status));
}

static void submit_noted(diary *d, pop3_command what, uint32_t number)
{
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    handlers.sink = note_octets;
    handlers.done = note_end;
    handlers.ctx = d;
    what.number = number;
    assert_status(POP3_OK, pop3_client_submit(d->client, &what, &handlers));
}

/* Checks the diary and begins a new one. */
static void assert_diary(diary *d, const char *expected)
{
    assert_string_equal(d->entries.data != NULL ? d->entries.data : "", expected);
    free(d->entries.data);
    d->entries = (text){0};
}

static void freeing_the_client_tells_each_command(void **state)
{
    fixture *f = *state;
    diary d = {0};
    play(f, "line '+OK'; expect-eof", NULL);
    d.client = client_connected(f);
    submit_noted(&d, command(POP3_CMD_NOOP, NULL), 0);
    submit_noted(&d, command(POP3_CMD_RETR, NULL), 1);
    pop3_client_free(f->client);
    f->client = NULL;
    assert_diary(&d, "NOOP 0 cancelled;RETR 1 cancelled;");
}

static void callbacks_come_in_the_order_of_submission(void **state)
{
    fixture *f = *state;
    diary d = {0};
    play(f,
         "line '+OK'; expect 'RETR 1'; send '+OK\\r\\none\\r\\n.\\r\\n'\n"
         "expect 'RETR 2'; line '-ERR'; expect 'DELE 1'; line '+OK'; expect-eof",
         NULL);
    f->options.engine.pipelining = POP3_PIPELINING_OFF;
    d.client = client_connected(f);
    submit_noted(&d, command(POP3_CMD_RETR, NULL), 1);
    submit_noted(&d, command(POP3_CMD_RETR, NULL), 2);
    submit_noted(&d, command(POP3_CMD_DELE, NULL), 1);
    assert_status(POP3_OK, run_as_a_loop(d.client));
    assert_diary(&d, "[one\r\n]RETR 1 ok;RETR 2 refused;DELE 1 ok;");
}

/* A diary whose script is not played to its end. */
static void start_noted(fixture *f, diary *d, const char *script)
{
    f->may_complain = true;
    serve(f, script, NULL);
    d->client = client_started(f);
}

static void commands_submitted_while_connecting_wait_for_the_greeting(void **state)
{
    fixture *f = *state;
    diary d = {0};
    play(f, "expect-silence 20; line '+OK'; expect 'STAT'; line '+OK 1 2'; expect-eof", NULL);
    d.client = client_started(f);
    submit_noted(&d, command(POP3_CMD_STAT, NULL), 0);
    assert_status(POP3_OK, run_as_a_loop(d.client));
    assert_diary(&d, "STAT 0 ok;");
}

static void commands_of_a_connection_that_fails_are_told(void **state)
{
    fixture *f = *state;
    diary d = {0};
    start_noted(f, &d, "line '-ERR not today'");
    submit_noted(&d, command(POP3_CMD_STAT, NULL), 0);
    submit_noted(&d, command(POP3_CMD_QUIT, NULL), 0);
    assert_status(POP3_ERR_REFUSED, run_as_a_loop(d.client));
    assert_diary(&d, "STAT 0 refused;QUIT 0 refused;");
    assert_error(d.client, POP3_ERR_REFUSED, "greeting: ");
    assert_error(d.client, POP3_ERR_REFUSED, "not today");
}

static void a_submitted_command_asks_for_a_step_at_once(void **state)
{
    fixture *f = *state;
    diary d = {0};
    play(f, "line '+OK'; expect 'NOOP'; line '+OK'; expect-eof", NULL);
    d.client = client_connected(f);
    assert_int_equal(pop3_client_deadline(d.client), -1);
    submit_noted(&d, command(POP3_CMD_NOOP, NULL), 0);
    assert_int_equal(pop3_client_deadline(d.client), 0);
    assert_status(POP3_PENDING, pop3_client_step(d.client));
    assert_in_range(pop3_client_deadline(d.client), 1, PROCESS_PATIENCE);
    assert_status(POP3_OK, run_as_a_loop(d.client));
    assert_int_equal(pop3_client_deadline(d.client), -1);
    assert_diary(&d, "NOOP 0 ok;");
}

static void an_idle_connection_that_ends_is_told_by_the_next_step(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK'; expect 'NOOP'; line '+OK'; close", NULL);
    pop3_client *c = client_connected(f);
    assert_ok(c, pop3_client_noop(c));
    while (pop3_client_step(c) == POP3_OK)
        wait_for_clients(&c, 1);
    assert_error(c, POP3_ERR_CLOSED, "waiting: ");
    assert_status(POP3_ERR_CLOSED, pop3_client_step(c));
    assert_int_equal(pop3_client_deadline(c), -1);
    assert_int_equal(pop3_client_waitables(c, NULL, 0), 0);
}

static void what_an_idle_server_says_unasked_ends_the_connection(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK'; expect 'NOOP'; line '+OK'; line '+OK surprise'; expect-eof", NULL);
    pop3_client *c = client_connected(f);
    pop3_command noop = command(POP3_CMD_NOOP, NULL);
    assert_status(POP3_OK, pop3_client_submit(c, &noop, NULL));
    pop3_status status;
    while ((status = pop3_client_step(c)) == POP3_PENDING || status == POP3_OK)
        wait_for_clients(&c, 1);
    assert_status(POP3_ERR_PROTOCOL, status);
    assert_error(c, POP3_ERR_PROTOCOL, "data that was not requested: \"+OK surprise\"");
    assert_int_equal(pop3_client_state(c), POP3_STATE_DEAD);
}

static void the_answer_that_came_unasked_is_not_that_of_the_next_command(void **state)
{
    fixture *f = *state;
    diary d = {0};
    play(f, "line '+OK'; expect 'NOOP'; line '+OK'; line '+OK 5 500'; expect-eof", NULL);
    d.client = client_connected(f);
    submit_noted(&d, command(POP3_CMD_NOOP, NULL), 0);
    while (pop3_client_step(d.client), d.entries.len == 0)
        wait_for_clients(&d.client, 1);
    /* By now the surplus has come, or the connection has ended by it. */
    pop3_stat stat;
    pop3_waitable waits[POP3_MAX_WAITABLES];
    if (pop3_client_waitables(d.client, waits, POP3_MAX_WAITABLES) > 0) {
        struct pollfd there = {.fd = waits[0].fd, .events = POLLIN};
        assert_int_equal(poll(&there, 1, PROCESS_PATIENCE), 1);
        assert_status(POP3_ERR_PROTOCOL, pop3_client_stat(d.client, &stat));
    } else {
        assert_status(POP3_ERR_PROTOCOL, pop3_client_step(d.client));
    }
    assert_diary(&d, "NOOP 0 ok;");
}

static void what_cannot_be_submitted_says_why(void **state)
{
    fixture *f = *state;
    pop3_login_options zero = {0};
    play(f, "line '+OK'; expect-eof", NULL);
    pop3_client *c = client_new(f);
    pop3_command noop = command(POP3_CMD_NOOP, NULL), retr = command(POP3_CMD_RETR, NULL);
    assert_status(POP3_ERR_STATE, pop3_client_submit(c, &noop, NULL));
    assert_error(c, POP3_ERR_STATE, "NOOP: there is no connection");
    assert_status(POP3_OK, pop3_client_connect(c));
    assert_status(POP3_ERR_ARGUMENT, pop3_client_submit(c, &retr, NULL));
    assert_error(c, POP3_ERR_ARGUMENT, "RETR: an argument is empty");
    assert_status(POP3_ERR_ARGUMENT, pop3_login_start(c, &zero, NULL));
    assert_error(c, POP3_ERR_ARGUMENT, "logging in: ");
    const char *const nothing = "submitting a command: no command, or a struct of an unknown size";
    pop3_handlers handlers = {.size = 1};
    assert_status(POP3_ERR_ARGUMENT, pop3_client_submit(c, NULL, NULL));
    assert_error(c, POP3_ERR_ARGUMENT, nothing);
    assert_ok(c, pop3_client_step(c));
    noop.size = 1;
    assert_status(POP3_ERR_ARGUMENT, pop3_client_submit(c, &noop, NULL));
    assert_error(c, POP3_ERR_ARGUMENT, nothing);
    assert_status(POP3_ERR_ARGUMENT, pop3_login_start(c, &zero, &handlers));
    assert_error(c, POP3_ERR_ARGUMENT, "logging in: handlers of an unknown size");
}

static void what_is_submitted_too_late_does_not_hide_why_the_connection_broke(void **state)
{
    fixture *f = *state;
    diary d = {0};
    play(f, "line '+OK'; expect 'NOOP'; close", NULL);
    d.client = client_connected(f);
    submit_noted(&d, command(POP3_CMD_NOOP, NULL), 0);
    assert_status(POP3_ERR_CLOSED, run_as_a_loop(d.client));
    pop3_command late = command(POP3_CMD_NOOP, NULL);
    assert_status(POP3_ERR_STATE, pop3_client_submit(d.client, &late, NULL));
    assert_int_equal(pop3_client_error(d.client)->status, POP3_ERR_CLOSED);
    assert_diary(&d, "NOOP 0 closed;");
}

/* A command's end that tries a blocking call. */
static void end_with_a_call(void *ctx, pop3_client *c, const pop3_result *result)
{
    (void)ctx;
    (void)result;
    assert_status(POP3_ERR_STATE, pop3_client_noop(c));
}

static void what_is_called_within_a_callback_does_not_hide_why_the_connection_broke(void **state)
{
    fixture *f = *state;
    pop3_command noop = command(POP3_CMD_NOOP, NULL);
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    handlers.done = end_with_a_call;
    play(f, "line '+OK'; expect 'NOOP'; close", NULL);
    pop3_client *c = client_connected(f);
    assert_status(POP3_OK, pop3_client_submit(c, &noop, &handlers));
    assert_status(POP3_ERR_CLOSED, pop3_client_run(c));
    assert_error(c, POP3_ERR_CLOSED, "the server closed the connection");
}

static void after_quit_nothing_can_be_submitted(void **state)
{
    fixture *f = *state;
    diary d = {0};
    play(f, "expect-silence 20; line '+OK'; expect 'QUIT'; line '+OK'; expect-eof", NULL);
    d.client = client_started(f);
    submit_noted(&d, command(POP3_CMD_QUIT, NULL), 0);
    static const pop3_command_kind kinds[] = {POP3_CMD_NOOP, POP3_CMD_STLS, POP3_CMD_QUIT};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        pop3_command late = command(kinds[i], NULL);
        assert_status(POP3_ERR_STATE, pop3_client_submit(d.client, &late, NULL));
    }
    assert_status(POP3_OK, run_as_a_loop(d.client));
    assert_diary(&d, "QUIT 0 ok;");
}

static void a_second_quit_ends_what_is_under_way(void **state)
{
    fixture *f = *state;
    diary d = {0};
    start_noted(f, &d, "line '+OK'; expect 'NOOP'; expect-eof");
    submit_noted(&d, command(POP3_CMD_NOOP, NULL), 0);
    submit_noted(&d, command(POP3_CMD_QUIT, NULL), 0);
    assert_status(POP3_ERR_STATE, pop3_client_quit(d.client));
    assert_int_equal(pop3_client_state(d.client), POP3_STATE_DEAD);
    assert_diary(&d, "NOOP 0 cancelled;QUIT 0 cancelled;");
}

static void stls_whose_turn_comes_after_a_login_is_a_state_error(void **state)
{
    fixture *f = *state;
    diary d = {0};
    play(f, "line '+OK'; expect 'PASS x'; line '+OK'; expect 'NOOP'; line '+OK'; expect-eof", NULL);
    d.client = client_connected(f);
    submit_noted(&d, command(POP3_CMD_PASS, "x"), 0);
    submit_noted(&d, command(POP3_CMD_STLS, NULL), 0);
    submit_noted(&d, command(POP3_CMD_NOOP, NULL), 0);
    assert_status(POP3_OK, run_as_a_loop(d.client));
    assert_diary(&d, "PASS 0 ok;STLS 0 wrong-state;NOOP 0 ok;");
}

static void submit_never_calls_back(void **state)
{
    fixture *f = *state;
    diary d = {0};
    play(f, "line '+OK'; expect 'CAPA'; capa TOP; expect-eof", NULL);
    d.client = client_connected(f);
    submit_noted(&d, command(POP3_CMD_STLS, NULL), 0);
    assert_diary(&d, "");
    assert_status(POP3_OK, run_as_a_loop(d.client));
    assert_diary(&d, "STLS 0 not-offered;");
    pop3_command stls = command(POP3_CMD_STLS, NULL);
    assert_status(POP3_ERR_NOT_OFFERED, pop3_client_submit(d.client, &stls, NULL));
}

static void a_password_whose_turn_comes_in_the_clear_is_not_sent(void **state)
{
    fixture *f = *state;
    diary d = {0};
    play(f, "line '+OK'; expect 'NOOP'; line '+OK'; expect-eof", NULL);
    f->options.allow_plaintext_password = false;
    d.client = client_started(f);
    submit_noted(&d, command(POP3_CMD_PASS, "x"), 0);
    submit_noted(&d, command(POP3_CMD_NOOP, NULL), 0);
    assert_status(POP3_OK, run_as_a_loop(d.client));
    assert_diary(&d, "PASS 0 insecure;NOOP 0 ok;");
    pop3_command pass = command(POP3_CMD_PASS, "x");
    assert_status(POP3_ERR_INSECURE, pop3_client_submit(d.client, &pass, NULL));
}

static void what_cannot_be_sent_ends_behind_what_was_submitted_before_it(void **state)
{
    fixture *f = *state;
    diary d = {0};
    play(f,
         "line '+OK'; expect 'USER joe'; line '+OK'; expect 'NOOP'; expect 'NOOP'\n"
         "line '+OK'; line '+OK'; expect-eof",
         NULL);
    f->options.allow_plaintext_password = false;
    f->options.engine.pipelining = POP3_PIPELINING_ON;
    d.client = client_started(f);
    submit_noted(&d, command(POP3_CMD_USER, "joe"), 0);
    submit_noted(&d, command(POP3_CMD_PASS, "x"), 0);
    submit_noted(&d, command(POP3_CMD_NOOP, NULL), 0);
    submit_noted(&d, command(POP3_CMD_NOOP, NULL), 0);
    assert_status(POP3_OK, run_as_a_loop(d.client));
    assert_diary(&d, "USER 0 ok;PASS 0 insecure;NOOP 0 ok;NOOP 0 ok;");
}

static void a_password_behind_stls_is_sent_under_tls(void **state)
{
    fixture *f = *state;
    diary d = {0};
    play(f,
         "line '+OK'; expect 'CAPA'; capa STLS; expect 'STLS'; line '+OK'; tls\n"
         "expect 'CAPA'; capa TOP; expect 'PASS x'; line '+OK'; expect-eof",
         "--cert", certificate("good.pem"), "--key", certificate("good.key"), NULL);
    f->options.allow_plaintext_password = false;
    f->options.tls = trusting(f);
    d.client = client_started(f);
    submit_noted(&d, command(POP3_CMD_STLS, NULL), 0);
    submit_noted(&d, command(POP3_CMD_PASS, "x"), 0);
    assert_status(POP3_OK, run_as_a_loop(d.client));
    assert_diary(&d, "STLS 0 ok;PASS 0 ok;");
}

/* A call within a callback returned this; the error says what it was, or why the connection broke.
 */
static void assert_impossible(const pop3_client *c, pop3_status status, const char *doing)
{
    assert_status(POP3_ERR_STATE, status);
    if (pop3_client_state(c) == POP3_STATE_DEAD)
        return;
    assert_error(c, POP3_ERR_STATE, doing);
    assert_error(c, POP3_ERR_STATE, ": not possible within a callback");
}

/* Tries everything that a callback must not do; none of it may work or do harm. */
static void misbehave(pop3_client *c)
{
    char *data;
    size_t len;
    pop3_login_options login = {0};
    assert_impossible(c, pop3_client_step(c), "stepping");
    assert_impossible(c, pop3_client_run(c), "waiting for the commands");
    assert_impossible(c, pop3_client_start(c), "connecting");
    assert_impossible(c, pop3_login(c, &login), "logging in");
    assert_impossible(c, pop3_client_connect(c), "connecting");
    assert_impossible(c, pop3_client_noop(c), "NOOP");
    assert_impossible(c, pop3_client_retr_memory(c, 1, 0, &data, &len), "RETR");
    assert_impossible(c, pop3_client_top_many(c, NULL, 0, 0, NULL), "TOP");
    assert_impossible(c, pop3_client_quit(c), "QUIT");
    pop3_client_close(c);
}

static pop3_sink_result misbehaving_sink(void *ctx, const char *data, size_t len)
{
    diary *d = ctx;
    misbehave(d->client);
    return note_octets(ctx, data, len);
}

static bool misbehaving_entry(void *ctx, const pop3_entry *entry, pop3_str line)
{
    diary *d = ctx;
    (void)entry;
    misbehave(d->client);
    text_print(&d->entries, "(%.*s)", (int)line.len, line.data);
    return true;
}

static void misbehaving_end(void *ctx, pop3_client *c, const pop3_result *result)
{
    misbehave(c);
    note_end(ctx, c, result);
}

static void misbehaving_trace(void *ctx, pop3_trace_kind kind, const char *data, size_t len)
{
    diary *d = ctx;
    (void)kind;
    (void)data;
    (void)len;
    if (d->client != NULL)
        misbehave(d->client);
}

static void callbacks_cannot_step_or_block_or_close(void **state)
{
    fixture *f = *state;
    diary d = {0};
    play(f,
         "line '+OK'; expect 'RETR 1'; send '+OK\\r\\none\\r\\n.\\r\\n'\n"
         "expect 'LIST'; send '+OK\\r\\n1 1\\r\\n.\\r\\n'; expect-eof",
         NULL);
    f->options.engine.trace = misbehaving_trace;
    f->options.engine.trace_ctx = &d;
    f->options.engine.trace_level = 2;
    pop3_client *c = client_new(f);
    d.client = c;
    assert_ok(c, pop3_client_connect(c));
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    handlers.sink = misbehaving_sink;
    handlers.entry = misbehaving_entry;
    handlers.done = misbehaving_end;
    handlers.ctx = &d;
    pop3_command retr = command(POP3_CMD_RETR, NULL);
    pop3_command list = command(POP3_CMD_LIST, NULL);
    retr.number = 1;
    assert_status(POP3_OK, pop3_client_submit(c, &retr, &handlers));
    assert_ok(c, run_as_a_loop(c));
    assert_status(POP3_OK, pop3_client_submit(c, &list, &handlers));
    assert_ok(c, run_as_a_loop(c));
    assert_diary(&d, "[one\r\n]RETR 1 ok;(1 1)LIST 0 ok;");
    script_is_met(f); /* closes, while there is a diary to trace into */
}

static void close_ends_each_command_as_cancelled(void **state)
{
    fixture *f = *state;
    diary d = {0};
    start_noted(f, &d, "line '+OK'; expect 'NOOP'; expect-eof");
    submit_noted(&d, command(POP3_CMD_NOOP, NULL), 0);
    submit_noted(&d, command(POP3_CMD_STLS, NULL), 0);
    submit_noted(&d, command(POP3_CMD_RETR, NULL), 7);
    pop3_client_close(d.client);
    assert_diary(&d, "NOOP 0 cancelled;STLS 0 cancelled;RETR 7 cancelled;");
    assert_status(POP3_ERR_CANCELLED, pop3_client_step(d.client));
}

static void submissions_that_make_no_sense_are_refused(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK'; expect-eof", NULL);
    pop3_client *c = client_connected(f);
    pop3_command noop = command(POP3_CMD_NOOP, NULL);
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    assert_status(POP3_ERR_ARGUMENT, pop3_client_submit(NULL, &noop, NULL));
    assert_status(POP3_ERR_ARGUMENT, pop3_client_submit(c, NULL, NULL));
    handlers.size = 1;
    assert_status(POP3_ERR_ARGUMENT, pop3_client_submit(c, &noop, &handlers));
    noop.size = 1;
    assert_status(POP3_ERR_ARGUMENT, pop3_client_submit(c, &noop, NULL));
    pop3_command retr = command(POP3_CMD_RETR, NULL);
    assert_status(POP3_ERR_ARGUMENT, pop3_client_submit(c, &retr, NULL));
    pop3_command user = command(POP3_CMD_USER, "two\r\nlines");
    assert_status(POP3_ERR_ARGUMENT, pop3_client_submit(c, &user, NULL));
    pop3_command auth = command(POP3_CMD_AUTH, "PLAIN");
    assert_status(POP3_ERR_ARGUMENT, pop3_client_submit(c, &auth, NULL));
    assert_status(POP3_OK, pop3_client_run(c));
}

static void handlers_and_commands_of_another_version_are_understood(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK'; expect 'NOOP'; line '+OK'; expect 'NOOP'; line '+OK'; expect-eof", NULL);
    pop3_client *c = client_connected(f);
    struct {
        pop3_handlers known;
        void *added;
    } handlers = {POP3_HANDLERS_INIT, NULL};
    struct {
        pop3_command known;
        void *added;
    } newer = {command(POP3_CMD_NOOP, NULL), NULL};
    handlers.known.size = sizeof handlers;
    newer.known.size = sizeof newer;
    assert_status(POP3_OK, pop3_client_submit(c, &newer.known, &handlers.known));
    pop3_command older = newer.known;
    older.size = offsetof(pop3_command, initial);
    memset(&older.initial, 0xff, sizeof older - older.size); /* is not of the struct */
    assert_status(POP3_OK, pop3_command_check(&older));
    assert_status(POP3_OK, pop3_client_submit(c, &older, NULL));
    handlers.added = newer.added = &handlers; /* something that we do not know is asked for */
    assert_status(POP3_ERR_ARGUMENT, pop3_client_submit(c, &newer.known, NULL));
    newer.added = NULL;
    assert_status(POP3_ERR_ARGUMENT, pop3_client_submit(c, &newer.known, &handlers.known));
    assert_status(POP3_OK, pop3_client_run(c));
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Takes longer than the server may. */
static pop3_sink_result slow_sink(void *ctx, const char *data, size_t len)
{
    long *patience = ctx;
    int64_t end = now_ms() + *patience + 5;
    (void)data;
    (void)len;
    while (*patience > 0 && now_ms() < end)
        poll(NULL, 0, 1);
    *patience = 0; /* once is enough */
    return POP3_SINK_CONTINUE;
}

static void the_time_a_sink_takes_is_not_the_servers(void **state)
{
    fixture *f = *state;
    int patience = 100; /* more, where the machine is busy */
    pop3_status status;
    do {
        char script[200];
        long left = patience;
        free(server_stop(&f->server));
        snprintf(script, sizeof script,
                 "line '+OK'; expect 'RETR 1'; line '+OK'; line 'first'; expect-silence %d\n"
                 "line 'second'; line '.'; expect-eof",
                 patience + 20);
        serve(f, script, NULL);
        f->options.timeout_ms = patience;
        status = pop3_client_retr(client_connected(f), 1, slow_sink, &left);
        patience *= 2;
    } while (needs_more_time(f, status, NULL));
    assert_ok(f->client, status);
}

int main(void)
{
    const struct CMUnitTest once[] = {
        cmocka_unit_test(a_password_whose_turn_comes_in_the_clear_is_not_sent),
        cmocka_unit_test(what_cannot_be_sent_ends_behind_what_was_submitted_before_it),
        cmocka_unit_test(a_password_behind_stls_is_sent_under_tls),
        cmocka_unit_test(stls_whose_turn_comes_after_a_login_is_a_state_error),
        cmocka_unit_test(submit_never_calls_back),
        cmocka_unit_test(what_cannot_be_submitted_says_why),
        cmocka_unit_test(what_is_called_within_a_callback_does_not_hide_why_the_connection_broke),
        cmocka_unit_test(what_is_submitted_too_late_does_not_hide_why_the_connection_broke),
        cmocka_unit_test(after_quit_nothing_can_be_submitted),
        cmocka_unit_test(close_ends_each_command_as_cancelled),
    };
    const struct CMUnitTest both[] = {
        cmocka_unit_test(fifty_connections_share_a_thread),
        cmocka_unit_test(freeing_the_client_tells_each_command),
        cmocka_unit_test(callbacks_come_in_the_order_of_submission),
        cmocka_unit_test(commands_submitted_while_connecting_wait_for_the_greeting),
        cmocka_unit_test(commands_of_a_connection_that_fails_are_told),
        cmocka_unit_test(a_submitted_command_asks_for_a_step_at_once),
        cmocka_unit_test(an_idle_connection_that_ends_is_told_by_the_next_step),
        cmocka_unit_test(what_an_idle_server_says_unasked_ends_the_connection),
        cmocka_unit_test(the_answer_that_came_unasked_is_not_that_of_the_next_command),
        cmocka_unit_test(a_second_quit_ends_what_is_under_way),
        cmocka_unit_test(callbacks_cannot_step_or_block_or_close),
        cmocka_unit_test(handlers_and_commands_of_another_version_are_understood),
        cmocka_unit_test(submissions_that_make_no_sense_are_refused),
        cmocka_unit_test(the_time_a_sink_takes_is_not_the_servers),
    };
    return run_suite("event-loop", once, sizeof once / sizeof *once, both,
                     sizeof both / sizeof *both);
}

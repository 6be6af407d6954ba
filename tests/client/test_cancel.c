/* Cancelling: from another thread, from a signal handler, before a call, from callbacks; and what
 * is possible afterwards. */
#define _POSIX_C_SOURCE 200809L
#include "support/suite.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A thread that cancels once the server has read a line. */
typedef struct canceller {
    pthread_t thread;
    pthread_t waiting; /* the thread that is to be interrupted by a signal, if there is one */
    const fixture *f;
    const char *line; /* as the transcript shows it; NULL: at once */
    int signal;       /* to send in place of cancelling, or 0 */
} canceller;

static pop3_client *volatile signalled;

static void cancel_by_signal(int signal)
{
    (void)signal;
    pop3_client_cancel(signalled);
}

static void *cancel_when_read(void *arg)
{
    canceller *how = arg;
    bool seen = how->line == NULL;
    while (!seen) { /* the test's own alarm ends this, if nothing else does */
        char *log = server_log(&how->f->server);
        seen = log != NULL && strstr(log, how->line) != NULL;
        free(log);
    }
    if (how->signal != 0)
        pthread_kill(how->waiting, how->signal);
    else
        pop3_client_cancel(how->f->client);
    return NULL;
}

static void start_cancelling(canceller *how)
{
    how->waiting = pthread_self();
    assert_int_equal(pthread_create(&how->thread, NULL, cancel_when_read, how), 0);
}

static void a_thread_cancels_a_command_that_waits(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK'; expect 'NOOP'; expect-eof", NULL);
    pop3_client *c = client_connected(f);
    canceller how = {.f = f, .line = "C: NOOP"};
    start_cancelling(&how);
    assert_status(POP3_ERR_CANCELLED, pop3_client_noop(c));
    pthread_join(how.thread, NULL);
    assert_error(c, POP3_ERR_CANCELLED, "NOOP: ");
    assert_int_equal(pop3_client_state(c), POP3_STATE_DEAD);
    assert_status(POP3_ERR_STATE, pop3_client_noop(c));
}

static void a_thread_cancels_a_connect_that_waits(void **state)
{
    fixture *f = *state;
    play(f, "expect-eof", NULL);
    pop3_client *c = client_new(f);
    canceller how = {.f = f, .line = f->tls ? "1 tls TLS" : "1 open"};
    assert_status(POP3_OK,
                  pop3_client_start(c)); /* a connect() would undo a cancel that came before */
    start_cancelling(&how);
    assert_status(POP3_ERR_CANCELLED, pop3_client_run(c));
    pthread_join(how.thread, NULL);
    /* how far the client has got by then depends on who is quicker: it connects, or waits already
     */
    assert_error(c, POP3_ERR_CANCELLED, "cancelled");
}

static void a_signal_handler_cancels(void **state)
{
    fixture *f = *state;
    struct sigaction action = {.sa_handler = cancel_by_signal};
    struct sigaction before;
    sigemptyset(&action.sa_mask);
    play(f, "line '+OK'; expect 'STAT'; expect-eof", NULL);
    pop3_client *c = client_connected(f);
    signalled = c;
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    canceller how = {.f = f, .line = "C: STAT", .signal = SIGUSR1};
    start_cancelling(&how);
    assert_status(POP3_ERR_CANCELLED, pop3_client_stat(c, NULL));
    pthread_join(how.thread, NULL);
    sigaction(SIGUSR1, &before, NULL);
}

static void do_nothing(int signal)
{
    (void)signal;
}

static void a_signal_that_does_not_cancel_disturbs_nothing(void **state)
{
    fixture *f = *state;
    struct sigaction action = {.sa_handler = do_nothing};
    struct sigaction before;
    sigemptyset(&action.sa_mask);
    play(f, "line '+OK'; expect 'STAT'; expect-silence 30; line '+OK 1 2'; expect-eof", NULL);
    pop3_client *c = client_connected(f);
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    canceller how = {.f = f, .line = "C: STAT", .signal = SIGUSR1};
    start_cancelling(&how);
    assert_ok(c, pop3_client_stat(c, NULL));
    pthread_join(how.thread, NULL);
    sigaction(SIGUSR1, &before, NULL);
}

static void a_cancel_before_a_command_stays_in_force(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK'; expect-eof", "--max-sessions", "2", NULL);
    pop3_client *c = client_connected(f);
    pop3_client_cancel(c);
    pop3_client_cancel(c);
    assert_int_equal(pop3_client_deadline(c), -1); /* the socket to wait on tells */
    assert_status(POP3_ERR_CANCELLED, pop3_client_noop(c));
    assert_status(POP3_ERR_STATE, pop3_client_noop(c));
    assert_ok(c, pop3_client_connect(c)); /* which takes it back */
}

static void a_cancel_without_a_connection_does_nothing(void **state)
{
    fixture *f = *state;
    play(f, "line '+OK'; expect 'NOOP'; line '+OK'; expect-eof", NULL);
    pop3_client *c = client_new(f);
    pop3_client_cancel(c);
    assert_ok(c, pop3_client_connect(c));
    assert_ok(c, pop3_client_noop(c));
}

static pop3_sink_result cancel_and_go_on(void *ctx, const char *data, size_t len)
{
    (void)data;
    (void)len;
    pop3_client_cancel(ctx);
    return POP3_SINK_CONTINUE;
}

static void a_sink_may_cancel(void **state)
{
    fixture *f = *state;
    serve(f, "line '+OK'; expect 'RETR 1'; line '+OK'; fill 4M 'a line\\r\\n'; line '.'", NULL);
    pop3_client *c = client_connected(f);
    assert_status(POP3_ERR_CANCELLED, pop3_client_retr(c, 1, cancel_and_go_on, c));
    assert_error(c, POP3_ERR_CANCELLED, "RETR 1: ");
    assert_ok(c, pop3_client_connect(c));
    assert_ok(c, pop3_client_retr(c, 1, NULL, NULL));
}

static void cancel_end(void *ctx, pop3_client *c, const pop3_result *result)
{
    unsigned *ends = ctx;
    ends[result->status == POP3_ERR_CANCELLED]++;
    pop3_client_cancel(c);
}

static void a_done_may_cancel_the_rest(void **state)
{
    fixture *f = *state;
    unsigned ends[2] = {0};
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    handlers.done = cancel_end;
    handlers.ctx = ends;
    serve(f, "line '+OK'; loop {\nexpect-prefix 'RETR'; send '+OK\\r\\n.x\\r\\n.\\r\\n'\n}", NULL);
    f->options.engine.pipelining = POP3_PIPELINING_OFF;
    pop3_client *c = client_connected(f);
    const uint32_t numbers[] = {1, 2, 3};
    assert_status(POP3_ERR_CANCELLED, pop3_client_retr_many(c, numbers, 3, &handlers));
    assert_int_equal(ends[0], 1);
    assert_int_equal(ends[1], 2);
}

/* Cancels again and again while the other thread connects. */
static void *cancel_always(void *arg)
{
    pop3_client *c = arg;
    for (int i = 0; i < 2000; i++)
        pop3_client_cancel(c);
    return NULL;
}

static void cancels_that_meet_connects_leave_no_trace(void **state)
{
    fixture *f = *state;
    serve(f, "line '+OK'; expect 'NOOP'; line '+OK'", NULL);
    f->may_complain = true;
    pop3_client *c = client_new(f);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, cancel_always, c), 0);
    for (int i = 0; i < 50; i++) {
        pop3_status status = pop3_client_connect(c);
        if (status != POP3_OK)
            assert_status(POP3_ERR_CANCELLED, status);
        pop3_client_close(c);
    }
    pthread_join(thread, NULL);
    assert_ok(c, pop3_client_connect(c));
    assert_ok(c, pop3_client_noop(c));
}

int main(void)
{
    const struct CMUnitTest both[] = {
        cmocka_unit_test(a_thread_cancels_a_command_that_waits),
        cmocka_unit_test(a_thread_cancels_a_connect_that_waits),
        cmocka_unit_test(a_signal_handler_cancels),
        cmocka_unit_test(a_signal_that_does_not_cancel_disturbs_nothing),
        cmocka_unit_test(a_cancel_before_a_command_stays_in_force),
        cmocka_unit_test(a_cancel_without_a_connection_does_nothing),
        cmocka_unit_test(a_sink_may_cancel),
        cmocka_unit_test(a_done_may_cancel_the_rest),
        cmocka_unit_test(cancels_that_meet_connects_leave_no_trace),
    };
    return run_suite("cancel", NULL, 0, both, sizeof both / sizeof *both);
}

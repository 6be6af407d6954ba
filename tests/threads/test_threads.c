/* Clients in several threads at once, for ThreadSanitizer: each thread has its own client, all
 * share one TLS context, and other threads cancel. What a test pins is in the name of its function.
 */
#define _POSIX_C_SOURCE 200809L
#include "support/suite.h"

#include <pop3/login.h>

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>

#define THREADS  6
#define SESSIONS 4

/* What a thread works with, and how it fared. */
typedef struct worker {
    pthread_t thread;
    pop3_client_options options;
    pop3_client *client;
    sem_t *beginnings; /* raised once when the first octets of a message have come */
    bool begun;
    pop3_status status;
    uint64_t hash;
} worker;

static pop3_status one_session(worker *w)
{
    static const uint32_t numbers[] = {1, 2, 3};
    pop3_login_options l = POP3_LOGIN_OPTIONS_INIT;
    pop3_handlers h = POP3_HANDLERS_INIT;
    l.user = "joe";
    l.password = "secret";
    l.allow_plaintext = true;
    w->hash = HASH_BEGIN;
    h.sink = into_hash;
    h.ctx = &w->hash;
    pop3_client *c = NULL;
    pop3_status status = pop3_client_new(&c, &w->options);
    if (status == POP3_OK)
        status = pop3_client_connect(c);
    if (status == POP3_OK)
        status = pop3_login(c, &l);
    if (status == POP3_OK)
        status = pop3_client_retr_many(c, numbers, 3, &h);
    if (status == POP3_OK)
        status = pop3_client_quit(c);
    pop3_client_free(c);
    return status;
}

static void *work(void *arg)
{
    worker *w = arg;
    for (int i = 0; i < SESSIONS && w->status == POP3_OK; i++)
        w->status = one_session(w);
    return NULL;
}

/* Runs sessions in threads, and checks that all saw the same messages. */
static void run_threads(const pop3_client_options *options)
{
    worker workers[THREADS] = {0};
    for (int i = 0; i < THREADS; i++) {
        workers[i].options = *options;
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
    for (int i = 0; i < THREADS; i++) {
        assert_status(POP3_OK, workers[i].status);
        assert_true(workers[i].hash == workers[0].hash);
    }
    assert_true(workers[0].hash != HASH_BEGIN);
}

static void clients_in_threads_do_not_disturb_each_other(void **state)
{
    fixture *f = *state;
    serve(f, NULL, "--mail", getenv("POP3_MAIL"), NULL);
    run_threads(&f->options);
}

static void a_name_is_resolved_in_many_threads_at_once(void **state)
{
    fixture *f = *state;
    serve(f, NULL, "--mail", getenv("POP3_MAIL"), NULL);
    f->options.host = "localhost";
    run_threads(&f->options);
}

static pop3_sink_result note_beginning(void *ctx, const char *data, size_t len)
{
    worker *w = ctx;
    (void)data;
    (void)len;
    if (!w->begun) {
        w->begun = true;
        sem_post(w->beginnings);
    }
    return POP3_SINK_CONTINUE;
}

static void *retrieve(void *arg)
{
    worker *w = arg;
    w->status = pop3_client_connect(w->client);
    if (w->status == POP3_OK)
        w->status = pop3_client_retr(w->client, 1, note_beginning, w);
    return NULL;
}

static void cancelling_one_client_after_the_other_ends_each_by_itself(void **state)
{
    fixture *f = *state;
    worker workers[THREADS] = {0};
    sem_t beginnings;
    struct timespec deadline;
    serve(
        f,
        "on RETR { line '+OK'; loop { fill 1000 'more and more' } }; line '+OK'; serve transaction",
        "--mail", getenv("POP3_MAIL"), NULL);
    assert_int_equal(sem_init(&beginnings, 0, 0), 0);
    for (int i = 0; i < THREADS; i++) {
        workers[i].beginnings = &beginnings;
        assert_status(POP3_OK, pop3_client_new(&workers[i].client, &f->options));
        assert_int_equal(pthread_create(&workers[i].thread, NULL, retrieve, &workers[i]), 0);
    }
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += PROCESS_PATIENCE / 1000;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(sem_timedwait(&beginnings, &deadline), 0);
    for (int i = THREADS - 1; i >= 0; i--) {
        pop3_client_cancel(workers[i].client);
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
        assert_status(POP3_ERR_CANCELLED, workers[i].status);
        pop3_client_free(workers[i].client);
    }
    sem_destroy(&beginnings);
}

static void *connect_and_quit(void *arg)
{
    worker *w = arg;
    w->status = pop3_client_connect(w->client);
    if (w->status == POP3_OK)
        w->status = pop3_client_quit(w->client);
    pop3_client_free(w->client);
    return NULL;
}

static void a_tls_context_lives_until_the_last_thread_is_done_with_it(void **state)
{
    fixture *f = *state;
    worker workers[THREADS] = {0};
    f->tls = true;
    serve(f, NULL, "--mail", getenv("POP3_MAIL"), NULL);
    for (int i = 0; i < THREADS; i++)
        assert_status(POP3_OK, pop3_client_new(&workers[i].client, &f->options));
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&workers[i].thread, NULL, connect_and_quit, &workers[i]),
                         0);
    pop3_tls_free(f->trust);
    f->trust = f->options.tls = NULL;
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
        assert_status(POP3_OK, workers[i].status);
    }
}

int main(void)
{
    const struct CMUnitTest once[] = {
        cmocka_unit_test(a_tls_context_lives_until_the_last_thread_is_done_with_it),
    };
    const struct CMUnitTest both[] = {
        cmocka_unit_test(clients_in_threads_do_not_disturb_each_other),
        cmocka_unit_test(a_name_is_resolved_in_many_threads_at_once),
        cmocka_unit_test(cancelling_one_client_after_the_other_ends_each_by_itself),
    };
    return run_suite("threads", once, sizeof once / sizeof *once, both, sizeof both / sizeof *both);
}

/* Tests of the client against the scripted server. */
#include "support/suite.h"

#include "support/guard.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A test as cmocka calls it, and the transport it is for. */
typedef struct variant {
    bool tls;
    char name[160];
} variant;

static int set_up(void **state)
{
    const variant *v = *state;
    fixture *f = calloc(1, sizeof *f);
    if (f == NULL)
        return -1;
    f->tls = v->tls;
    f->server = SERVER_NONE;
    f->descriptors = guard_descriptors();
    f->options = (pop3_client_options)POP3_CLIENT_OPTIONS_INIT;
    *state = f;
    guard_begin();
    return 0;
}

/* Whether the server's script was met. Says what was not. */
static bool finish_server(fixture *f)
{
    bool met = !f->ends_by_itself || server_wait(&f->server) == 0;
    char *errors = server_stop(&f->server);
    met = (met && errors[0] == '\0') || f->may_complain;
    if (!met)
        fprintf(stderr, "the server did not get what its script says: %s\n", errors);
    free(errors);
    f->ends_by_itself = false;
    return met;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    pop3_client_free(f->client);
    bool ok = finish_server(f);
    pop3_tls_free(f->trust);
    ok = guard_end(f->descriptors) && ok;
    free(f);
    return ok ? 0 : -1;
}

/* The test t for a transport. */
static struct CMUnitTest variant_of(const struct CMUnitTest *t, bool tls, variant *v)
{
    struct CMUnitTest made = *t;
    v->tls = tls;
    snprintf(v->name, sizeof v->name, "%s%s", t->name, tls ? " (TLS)" : "");
    made.name = v->name;
    made.setup_func = set_up;
    made.teardown_func = tear_down;
    made.initial_state = v;
    return made;
}

int run_suite(const char *name, const struct CMUnitTest *once, size_t once_count,
              const struct CMUnitTest *both, size_t both_count)
{
    size_t count = once_count + 2 * both_count;
    struct CMUnitTest *tests = calloc(count, sizeof *tests);
    variant *variants = calloc(count, sizeof *variants);
    if (tests == NULL || variants == NULL)
        abort();
    size_t n = 0;
    for (size_t i = 0; i < once_count; i++, n++)
        tests[n] = variant_of(&once[i], false, &variants[n]);
    for (size_t i = 0; i < 2 * both_count; i++, n++)
        tests[n] = variant_of(&both[i / 2], i % 2 != 0, &variants[n]);
    guard_install();
    int failed = _cmocka_run_group_tests(name, tests, count, NULL, NULL);
    scratch_remove();
    free(variants);
    free(tests);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Collects options of the server up to a NULL, and whether they bound its sessions. */
static size_t collect(const char **options, va_list args, bool *bounded)
{
    size_t n = 0;
    for (const char *option; (option = va_arg(args, const char *)) != NULL;) {
        if (n == SERVER_OPTIONS - 8)
            fail_msg("too many options for the server");
        options[n++] = option;
        *bounded = *bounded || strcmp(option, "--max-sessions") == 0;
    }
    return n;
}

bool tls_is_there(void)
{
    pop3_tls *tls = NULL;
    pop3_status status = pop3_tls_wrap(&tls, NULL); /* else it misses its argument */
    pop3_tls_free(tls);
    return status != POP3_ERR_NOT_OFFERED;
}

void needs_tls(void)
{
    if (!tls_is_there())
        skip();
}

static void start(fixture *f, const char *script, const char **options, size_t n)
{
    bool tls = f->tls;
    for (size_t i = 0; i < n; i++)
        tls = tls || strcmp(options[i], "--cert") == 0;
    if (tls)
        needs_tls();
    if (f->tls) {
        options[n++] = "--tls";
        options[n++] = "--cert";
        options[n++] = certificate("good.pem");
        options[n++] = "--key";
        options[n++] = certificate("good.key");
        f->options.tls = trusting(f);
    }
    options[n] = NULL;
    if (!server_start(&f->server, script, options))
        fail_msg("the test server did not start");
    if (f->options.host == NULL)
        f->options.host = "127.0.0.1";
    f->options.port = f->tls ? f->server.tls_port : f->server.port;
    f->options.security = f->tls ? POP3_SECURITY_TLS : POP3_SECURITY_PLAIN;
    f->options.allow_plaintext_password = true;
    /* A test that waits for these has failed already. */
    f->options.connect_timeout_ms = PROCESS_PATIENCE;
    f->options.timeout_ms = PROCESS_PATIENCE;
}

void play(fixture *f, const char *script, ...)
{
    const char *options[SERVER_OPTIONS];
    bool bounded = false;
    va_list args;
    va_start(args, script);
    size_t n = collect(options, args, &bounded);
    va_end(args);
    if (!bounded)
        options[n++] = "--once";
    start(f, script, options, n);
    f->ends_by_itself = true;
}

void play_options(fixture *f, const char *const *options)
{
    const char *all[SERVER_OPTIONS];
    size_t n = 0;
    for (; options[n] != NULL; n++) {
        if (n == SERVER_OPTIONS - 8)
            fail_msg("too many options for the server");
        all[n] = options[n];
    }
    start(f, NULL, all, n);
    f->ends_by_itself = true;
}

void serve(fixture *f, const char *script, ...)
{
    const char *options[SERVER_OPTIONS];
    bool bounded = false;
    va_list args;
    va_start(args, script);
    size_t n = collect(options, args, &bounded);
    va_end(args);
    start(f, script, options, n);
}

pop3_tls *trusting(fixture *f)
{
    char why[300];
    pop3_tls_options o = POP3_TLS_OPTIONS_INIT;
    o.ca_file = certificate("ca.pem");
    if (f->trust == NULL && pop3_tls_new(&f->trust, &o, why, sizeof why) != POP3_OK)
        fail_msg("%s", why);
    return f->trust;
}

pop3_client *client_new(fixture *f)
{
    pop3_client_free(f->client);
    assert_status(POP3_OK, pop3_client_new(&f->client, &f->options));
    return f->client;
}

pop3_client *client_started(fixture *f)
{
    pop3_client *c = client_new(f);
    assert_status(POP3_OK, pop3_client_start(c));
    return c;
}

pop3_client *client_connected(fixture *f)
{
    pop3_client *c = client_new(f);
    assert_ok(c, pop3_client_connect(c));
    return c;
}

void script_is_met(fixture *f)
{
    if (f->client != NULL)
        pop3_client_close(f->client);
    if (!finish_server(f))
        fail_msg("the script was not met");
}

bool needs_more_time(fixture *f, pop3_status status, const char *where)
{
    if (status != POP3_ERR_TIMEOUT || f->options.timeout_ms >= PROCESS_PATIENCE ||
        (where != NULL && strstr(pop3_client_error(f->client)->message, where) != NULL))
        return false;
    f->options.timeout_ms *= 2;
    f->may_complain = true; /* the server awaited more of that session */
    return true;
}

void assert_ok(const pop3_client *c, pop3_status status)
{
    if (status != POP3_OK)
        fail_msg("%s: %s", pop3_status_name(status), pop3_client_error(c)->message);
}

void assert_status(pop3_status expected, pop3_status status)
{
    assert_string_equal(pop3_status_name(status), pop3_status_name(expected));
}

void assert_error(const pop3_client *c, pop3_status status, const char *part)
{
    const pop3_error *error = pop3_client_error(c);
    assert_status(status, error->status);
    if (strstr(error->message, part) == NULL)
        fail_msg("\"%s\" is not in: %s", part, error->message);
}

void assert_str(pop3_str span, const char *expected)
{
    bool same = span.len == strlen(expected) &&
                (span.len == 0 || memcmp(span.data, expected, span.len) == 0);
    if (!same)
        fail_msg("expected \"%s\", got \"%.*s\"", expected, (int)span.len,
                 span.len > 0 ? span.data : "");
}

void wait_for_clients(pop3_client *const *clients, size_t count)
{
    struct pollfd *fds = calloc(count, POP3_MAX_WAITABLES * sizeof *fds);
    nfds_t n = 0;
    int timeout = PROCESS_PATIENCE;
    assert_non_null(fds);
    for (size_t i = 0; i < count; i++) {
        pop3_waitable waits[POP3_MAX_WAITABLES];
        size_t found = pop3_client_waitables(clients[i], waits, POP3_MAX_WAITABLES);
        for (size_t k = 0; k < found; k++) {
            int events = (waits[k].read ? POLLIN : 0) | (waits[k].write ? POLLOUT : 0);
            fds[n++] = (struct pollfd){.fd = waits[k].fd, .events = (short)events};
        }
        int deadline = pop3_client_deadline(clients[i]);
        if (deadline >= 0 && deadline < timeout)
            timeout = deadline;
    }
    assert_true(poll(fds, n, timeout) >= 0 || errno == EINTR);
    free(fds);
}

pop3_status run_as_a_loop(pop3_client *c)
{
    pop3_status status;
    while ((status = pop3_client_step(c)) == POP3_PENDING)
        wait_for_clients(&c, 1);
    return status;
}

pop3_sink_result into_text(void *ctx, const char *data, size_t len)
{
    text_add(ctx, data, len);
    return POP3_SINK_CONTINUE;
}

pop3_sink_result into_hash(void *ctx, const char *data, size_t len)
{
    uint64_t *hash = ctx;
    *hash = hash_octets(*hash, data, len);
    return POP3_SINK_CONTINUE;
}

/* Tests of the client against the scripted server: each has a fixture that holds its server and its
 * client, over plain TCP or over TLS, and that checks afterwards that all went as the script says.
 */
#ifndef TESTS_SUPPORT_SUITE_H
#define TESTS_SUPPORT_SUITE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pop3/pop3.h>

#include "support/scratch.h"
#include "support/server.h"
#include "support/text.h"

/* What a test has; its `state`. */
typedef struct fixture {
    bool tls;                    /* over TLS from the start, else plain */
    server server;               /* the one that play() or serve() started */
    bool ends_by_itself;         /* the server does so, and says whether its script was met */
    bool may_complain;           /* the server need not get what its script says */
    pop3_client_options options; /* for client_new(); play() and serve() set where to and how */
    pop3_tls *trust;             /* trusts the test CA; made when it is needed */
    pop3_client *client;         /* freed after the test */
    int descriptors;             /* open before the test */
} fixture;

/* Runs the tests of a program: those of `once` over plain TCP, those of `both` over TCP and over
 * TLS. Returns the exit status of main(). */
int run_suite(const char *name, const struct CMUnitTest *once, size_t once_count,
              const struct CMUnitTest *both, size_t both_count);

/* Starts a server that plays a script for one connection (or for as many as the option
 * --max-sessions says). Further options of the server up to a NULL. After the test the script must
 * have been met. */
__attribute__((sentinel)) void play(fixture *f, const char *script, ...);

/* The same with an array of options, scripts among them, up to a NULL. */
void play_options(fixture *f, const char *const *options);

/* Starts a server that serves until the test is over: a script, or NULL with --mail. */
__attribute__((sentinel)) void serve(fixture *f, const char *script, ...);

/* Whether the library has TLS, and with it MD5: not when built with -Dtls=disabled. */
bool tls_is_there(void);

/* Skips the test where it has not. A test whose server has TLS need not call it. */
void needs_tls(void);

/* A context that trusts the test CA. */
pop3_tls *trusting(fixture *f);

/* A client with the fixture's options. */
pop3_client *client_new(fixture *f);

/* The same, which begins to connect. */
pop3_client *client_started(fixture *f);

/* The same, connected. */
pop3_client *client_connected(fixture *f);

/* Closes the client, and waits until the server has ended and its script was met. Tests that do not
 * call this have it done for them. */
void script_is_met(fixture *f);

/* For a server that falls silent, and has little time (timeout_ms): whether a session ended before
 * that, as it ran out elsewhere than `where` says (NULL: anywhere), on a busy machine. Then the
 * next one has twice as much: the test begins once more, on a server that serve() started. */
bool needs_more_time(fixture *f, pop3_status status, const char *where);

/* Checks a call that must succeed; says why when it does not. */
void assert_ok(const pop3_client *c, pop3_status status);

/* Checks how a call ended, by name. */
void assert_status(pop3_status expected, pop3_status status);

/* Checks that the client's sentence about the last error holds `part`, and its status. */
void assert_error(const pop3_client *c, pop3_status status, const char *part);

/* Checks a span. */
void assert_str(pop3_str span, const char *expected);

/* Waits until one of the clients must be stepped, as an application's loop does. */
void wait_for_clients(pop3_client *const *clients, size_t count);

/* Steps and waits until nothing is under way; returns what the last step did. */
pop3_status run_as_a_loop(pop3_client *c);

/* A sink that collects into a `text`, and one that hashes into a uint64_t. */
pop3_sink_result into_text(void *ctx, const char *data, size_t len);
pop3_sink_result into_hash(void *ctx, const char *data, size_t len);

#endif

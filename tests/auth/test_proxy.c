/* Connecting through proxies, which are played by threads of this program: what they are told,
 * octet by octet, and what becomes of all that they may answer. */
#define _POSIX_C_SOURCE 200809L
#include "peer.h"
#include "support/suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A proxy: what it must hear and what it says, step by step, and where it then connects to. */
typedef struct proxy_server {
    peer_server server;
    struct {
        const char *hear;
        size_t hear_len;
        const char *say;
        size_t say_len;
    } steps[4];
    size_t count;
    uint16_t to;     /* the port of the real server; 0: none */
    bool piecemeal;  /* its answers come octet by octet */
    bool heard;      /* all that it must */
    char wrong[600]; /* what came in place of it */
    unsigned connections;
} proxy_server;

static void serve_proxy(peer *p, void *ctx)
{
    proxy_server *s = ctx;
    s->connections++;
    s->heard = false;
    for (size_t i = 0; i < s->count; i++) {
        char got[512];
        if (!peer_read(p, got, s->steps[i].hear_len))
            return;
        if (memcmp(got, s->steps[i].hear, s->steps[i].hear_len) != 0) {
            for (size_t k = 0; k < s->steps[i].hear_len && k < 190; k++)
                snprintf(s->wrong + 3 * k, 4, "%02x ", (unsigned char)got[k]);
            return;
        }
        size_t piece = s->piecemeal ? 1 : s->steps[i].say_len;
        for (size_t k = 0; k < s->steps[i].say_len; k += piece)
            if (!peer_write(p, s->steps[i].say + k, piece))
                return;
    }
    s->heard = true;
    if (s->to != 0)
        peer_relay(p, s->to);
}

/* Adds a step; both are string literals that may hold NUL. */
#define STEP(s, h, t) add_step((s), (h), sizeof(h) - 1, (t), sizeof(t) - 1)

static void add_step(proxy_server *s, const char *hear, size_t hear_len, const char *say,
                     size_t say_len)
{
    s->steps[s->count].hear = hear;
    s->steps[s->count].hear_len = hear_len;
    s->steps[s->count].say = say;
    s->steps[s->count++].say_len = say_len;
}

/* Has the client go through it. */
static void go_through(fixture *f, proxy_server *s, pop3_proxy kind)
{
    peer_start(&s->server, serve_proxy, s);
    f->options.proxy = kind;
    f->options.proxy_host = "127.0.0.1";
    f->options.proxy_port = s->server.port;
    f->options.connect_timeout_ms = PROCESS_PATIENCE;
}

/* Connects to a server of the scripted kind through the proxy. */
static void reaches(fixture *f, proxy_server *s, pop3_proxy kind)
{
    play(f, "line '+OK through'; expect 'NOOP'; line '-ERR'; expect-eof", NULL);
    s->to = f->tls ? f->server.tls_port : f->server.port;
    f->options.host = "mail.example"; /* which only the proxy can find */
    f->options.port = 110;
    if (f->tls) { /* its certificate is for localhost */
        pop3_tls_options o = POP3_TLS_OPTIONS_INIT;
        o.ca_file = certificate("ca.pem");
        o.server_name = "localhost";
        pop3_tls_free(f->trust);
        assert_status(POP3_OK, pop3_tls_new(&f->trust, &o, NULL, 0));
        f->options.tls = f->trust;
    }
    go_through(f, s, kind);
    pop3_client *c = client_new(f);
    pop3_status status = pop3_client_connect(c);
    if (status != POP3_OK)
        fail_msg("%s (the proxy heard %s)", pop3_client_error(c)->message, s->wrong);
    assert_str(pop3_client_greeting(c), "+OK through");
    assert_status(POP3_ERR_REFUSED, pop3_client_noop(c));
    script_is_met(f);
    peer_stop(&s->server);
    assert_true(s->heard);
}

/* The proxy does not bring the client there. */
static void fails(fixture *f, proxy_server *s, pop3_proxy kind, pop3_status expected, int sys_errno,
                  const char *part)
{
    f->options.host = f->options.host != NULL ? f->options.host : "mail.example";
    f->options.port = 110;
    f->options.security = POP3_SECURITY_PLAIN;
    go_through(f, s, kind);
    pop3_client *c = client_new(f);
    assert_status(expected, pop3_client_connect(c));
    assert_error(c, expected, part);
    assert_int_equal(pop3_client_error(c)->sys_errno, sys_errno);
    peer_stop(&s->server);
    if (s->wrong[0] != '\0')
        fail_msg("the proxy heard %s", s->wrong);
}

#define MAIL_EXAMPLE "mail.example\x00\x6e"

static void socks5_is_given_the_name_to_resolve(void **state)
{
    proxy_server s = {.count = 0};
    STEP(&s, "\x05\x01\x00", "\x05\x00");
    STEP(&s, "\x05\x01\x00\x03\x0c" MAIL_EXAMPLE, "\x05\x00\x00\x01\x7f\x00\x00\x01\x12\x34");
    reaches(*state, &s, POP3_PROXY_SOCKS5);
}

static void socks5_answers_may_come_octet_by_octet(void **state)
{
    proxy_server s = {.piecemeal = true};
    STEP(&s, "\x05\x01\x00", "\x05\x00");
    STEP(&s, "\x05\x01\x00\x03\x0c" MAIL_EXAMPLE,
         "\x05\x00\x00\x03\x05proxy\x12\x34"); /* bound to a name */
    reaches(*state, &s, POP3_PROXY_SOCKS5);
}

static void socks5_takes_a_user_name_and_password(void **state)
{
    fixture *f = *state;
    proxy_server s = {.count = 0};
    STEP(&s, "\x05\x02\x00\x02", "\x05\x02");
    STEP(&s, "\x01\x04user\x06secret", "\x01\x00");
    STEP(
        &s, "\x05\x01\x00\x03\x0c" MAIL_EXAMPLE,
        "\x05\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00");
    f->options.proxy_user = "user";
    f->options.proxy_password = "secret";
    reaches(f, &s, POP3_PROXY_SOCKS5);
}

static void socks5_is_given_addresses_as_such(void **state)
{
    fixture *f = *state;
    proxy_server s = {.count = 0};
    STEP(&s, "\x05\x01\x00", "\x05\x00");
    STEP(&s, "\x05\x01\x00\x01\xc0\x00\x02\x07\x00\x6e", "\x05\x05\x00\x01\x00");
    f->options.host = "192.0.2.7";
    fails(
        f, &s, POP3_PROXY_SOCKS5, POP3_ERR_CONNECT, ECONNREFUSED,
        "192.0.2.7:110: connecting through the proxy: the SOCKS5 proxy cannot connect: connection "
        "refused");
    proxy_server six = {.count = 0};
    STEP(&six, "\x05\x01\x00", "\x05\x00");
    STEP(&six, "\x05\x01\x00\x04\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x00\x6e",
         "\x05\x04\x00\x01\x00");
    f->options.host = "2001:db8::1";
    fails(f, &six, POP3_PROXY_SOCKS5, POP3_ERR_CONNECT, EHOSTUNREACH, "host unreachable");
}

#ifdef P3_HAVE_IDN
static void socks5_is_given_internationalized_names_in_ascii(void **state)
{
    fixture *f = *state;
    proxy_server s = {.count = 0};
    STEP(&s, "\x05\x01\x00", "\x05\x00");
    STEP(&s, "\x05\x01\x00\x03\x15xn--bcher-kva.example\x00\x6e", "\x05\x02\x00\x01\x00");
    f->options.host = "b\xc3\xbc"
                      "cher.example";
    fails(f, &s, POP3_PROXY_SOCKS5, POP3_ERR_CONNECT, EACCES, "not allowed by its rules");
}
#endif

static void socks5_failures_are_told(void **state)
{
    fixture *f = *state;
    proxy_server methods = {.count = 0};
    STEP(&methods, "\x05\x01\x00", "\x05\xff");
    fails(f, &methods, POP3_PROXY_SOCKS5, POP3_ERR_CONNECT, EACCES, "requires a user name");
    proxy_server alien = {.count = 0};
    STEP(&alien, "\x05\x01\x00", "HT");
    fails(f, &alien, POP3_PROXY_SOCKS5, POP3_ERR_PROTOCOL, 0, "does not speak SOCKS5");
    proxy_server odd = {.count = 0};
    STEP(&odd, "\x05\x01\x00", "\x05\x00");
    STEP(&odd, "\x05\x01\x00\x03\x0c" MAIL_EXAMPLE, "\x05\x00\x00\x09\x00");
    fails(f, &odd, POP3_PROXY_SOCKS5, POP3_ERR_PROTOCOL, 0, "not one of SOCKS5");
    proxy_server unknown = {.count = 0};
    STEP(&unknown, "\x05\x01\x00", "\x05\x00");
    STEP(&unknown, "\x05\x01\x00\x03\x0c" MAIL_EXAMPLE, "\x05\x77\x00\x01\x00");
    fails(f, &unknown, POP3_PROXY_SOCKS5, POP3_ERR_CONNECT, EIO, "error 119");
}

static void socks5_that_closes_early_is_told(void **state)
{
    proxy_server s = {.count = 0};
    STEP(&s, "\x05\x01\x00", "\x05");
    fails(*state, &s, POP3_PROXY_SOCKS5, POP3_ERR_CLOSED, 0, "closed the connection");
}

static void a_refused_proxy_password_is_told_without_it(void **state)
{
    fixture *f = *state;
    proxy_server s = {.count = 0};
    STEP(&s, "\x05\x02\x00\x02", "\x05\x02");
    STEP(&s, "\x01\x04user\x06secret", "\x01\x01");
    f->options.proxy_user = "user";
    f->options.proxy_password = "secret";
    fails(f, &s, POP3_PROXY_SOCKS5, POP3_ERR_CONNECT, EACCES, "did not accept the user name");
    assert_null(strstr(pop3_client_error(f->client)->message, "secret"));
}

static void socks4a_is_given_the_name_to_resolve(void **state)
{
    proxy_server s = {.count = 0};
    STEP(&s, "\x04\x01\x00\x6e\x00\x00\x00\x01\x00mail.example\x00",
         "\x00\x5a\x00\x00\x00\x00\x00\x00");
    reaches(*state, &s, POP3_PROXY_SOCKS4A);
}

static void socks4a_failures_are_told(void **state)
{
    fixture *f = *state;
    proxy_server refused = {.count = 0};
    STEP(&refused, "\x04\x01\x00\x6e\x00\x00\x00\x01me\x00mail.example\x00",
         "\x00\x5b\x00\x00\x00\x00\x00\x00");
    f->options.proxy_user = "me";
    fails(f, &refused, POP3_PROXY_SOCKS4A, POP3_ERR_CONNECT, ECONNREFUSED, "refused");
    proxy_server alien = {.count = 0};
    STEP(&alien, "\x04\x01\x00\x6e\xc0\x00\x02\x07me\x00", "HTTP/1.1");
    f->options.host = "192.0.2.7";
    fails(f, &alien, POP3_PROXY_SOCKS4A, POP3_ERR_PROTOCOL, 0, "not one of SOCKS4");
}

static void http_connect_reaches_the_server(void **state)
{
    proxy_server s = {.count = 0};
    STEP(&s, "CONNECT mail.example:110 HTTP/1.1\r\nHost: mail.example:110\r\n\r\n",
         "HTTP/1.1 200 Connection established\r\nVia: someone\r\n\r\n");
    reaches(*state, &s, POP3_PROXY_HTTP);
}

static void http_connect_takes_basic_authentication(void **state)
{
    fixture *f = *state;
    proxy_server s = {.piecemeal = true};
    STEP(&s,
         "CONNECT mail.example:110 HTTP/1.1\r\nHost: mail.example:110\r\n"
         "Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n\r\n",
         "HTTP/1.0 200 OK\n\n");
    f->options.proxy_user = "user";
    f->options.proxy_password = "secret";
    reaches(f, &s, POP3_PROXY_HTTP);
}

#define CONNECT "CONNECT mail.example:110 HTTP/1.1\r\nHost: mail.example:110\r\n\r\n"

static void http_failures_are_told(void **state)
{
    fixture *f = *state;
    proxy_server wants = {.count = 0};
    STEP(&wants, CONNECT, "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    fails(f, &wants, POP3_PROXY_HTTP, POP3_ERR_CONNECT, EACCES, "requires a user name");
    proxy_server forbids = {.count = 0};
    STEP(&forbids, CONNECT, "HTTP/1.1 403 Forbidden \x1b[31m\r\n\r\n");
    fails(f, &forbids, POP3_PROXY_HTTP, POP3_ERR_CONNECT, EACCES, "403 Forbidden \\x1b[31m");
    proxy_server bad = {.count = 0};
    STEP(&bad, CONNECT, "HTTP/1.1 502 Bad Gateway\r\n\r\n");
    fails(f, &bad, POP3_PROXY_HTTP, POP3_ERR_CONNECT, EHOSTUNREACH, "502 Bad Gateway");
    proxy_server alien = {.count = 0};
    STEP(&alien, CONNECT, "+OK POP3 here\r\n\r\n");
    fails(f, &alien, POP3_PROXY_HTTP, POP3_ERR_PROTOCOL, 0, "not one of HTTP");
}

/* A proxy whose header never ends. */
static void serve_endless_header(peer *p, void *ctx)
{
    (void)ctx;
    char line[200];
    while (peer_line(p, line, sizeof line) && line[0] != '\0')
        ;
    if (!peer_say(p, "HTTP/1.1 200 OK\r\n"))
        return;
    while (peer_say(p, "X-More: and more and more and more and more and more\r\n"))
        ;
}

static void an_endless_http_header_is_over_the_limit(void **state)
{
    fixture *f = *state;
    peer_server s;
    peer_start(&s, serve_endless_header, NULL);
    f->options.host = "mail.example";
    f->options.security = POP3_SECURITY_PLAIN;
    f->options.proxy = POP3_PROXY_HTTP;
    f->options.proxy_host = "127.0.0.1";
    f->options.proxy_port = s.port;
    pop3_client *c = client_new(f);
    assert_status(POP3_ERR_LIMIT, pop3_client_connect(c));
    peer_stop(&s);
}

/* A proxy that says nothing until the client has gone. */
static void serve_silence(peer *p, void *ctx)
{
    (void)ctx;
    char octet;
    while (peer_read(p, &octet, 1))
        ;
}

static void a_silent_proxy_is_under_the_connects_deadline(void **state)
{
    fixture *f = *state;
    peer_server s;
    peer_start(&s, serve_silence, NULL);
    f->options.host = "mail.example";
    f->options.proxy = POP3_PROXY_SOCKS5;
    f->options.proxy_host = "127.0.0.1";
    f->options.proxy_port = s.port;
    f->options.connect_timeout_ms =
        2000; /* until the proxy is connected, it may take this machine long */
    pop3_client *c = client_new(f);
    assert_status(POP3_ERR_TIMEOUT, pop3_client_connect(c));
    assert_error(c, POP3_ERR_TIMEOUT, "connecting through the proxy");
    peer_stop(&s);
}

static void proxies_that_cannot_be_used_are_argument_errors(void **state)
{
    pop3_client *c;
    (void)state;
    pop3_client_options o = POP3_CLIENT_OPTIONS_INIT;
    o.host = "mail.example";
    o.proxy = POP3_PROXY_SOCKS5;
    assert_status(POP3_ERR_ARGUMENT, pop3_client_new(&c, &o)); /* no host */
    o.proxy_host = "127.0.0.1";
    o.proxy_user = "a\r\nb";
    assert_status(POP3_ERR_ARGUMENT, pop3_client_new(&c, &o));
    o.proxy_user = "a";
    o.proxy_password = "x\r\nHost: elsewhere";
    assert_status(POP3_ERR_ARGUMENT, pop3_client_new(&c, &o));
    o.proxy_password = NULL;
    o.proxy = POP3_PROXY_HTTP;
    o.proxy_user = "a:b";
    assert_status(POP3_ERR_ARGUMENT, pop3_client_new(&c, &o));
    o.proxy_user = NULL;
    o.unix_socket = "/tmp/socket";
    assert_status(POP3_ERR_ARGUMENT, pop3_client_new(&c, &o));
}

int main(void)
{
    const struct CMUnitTest both[] = {
        cmocka_unit_test(socks5_is_given_the_name_to_resolve),
        cmocka_unit_test(socks5_answers_may_come_octet_by_octet),
        cmocka_unit_test(socks5_takes_a_user_name_and_password),
        cmocka_unit_test(socks4a_is_given_the_name_to_resolve),
        cmocka_unit_test(http_connect_reaches_the_server),
        cmocka_unit_test(http_connect_takes_basic_authentication),
    };
    const struct CMUnitTest once[] = {
        cmocka_unit_test(socks5_is_given_addresses_as_such),
#ifdef P3_HAVE_IDN
        cmocka_unit_test(socks5_is_given_internationalized_names_in_ascii),
#endif
        cmocka_unit_test(socks5_failures_are_told),
        cmocka_unit_test(socks5_that_closes_early_is_told),
        cmocka_unit_test(a_refused_proxy_password_is_told_without_it),
        cmocka_unit_test(socks4a_failures_are_told),
        cmocka_unit_test(http_failures_are_told),
        cmocka_unit_test(an_endless_http_header_is_over_the_limit),
        cmocka_unit_test(a_silent_proxy_is_under_the_connects_deadline),
        cmocka_unit_test(proxies_that_cannot_be_used_are_argument_errors),
    };
    return run_suite("proxy", once, sizeof once / sizeof *once, both, sizeof both / sizeof *both);
}

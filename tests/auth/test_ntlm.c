/* NTLM against a server that knows the published example of MS-NLMP §4.2.2: user, password and
 * challenge there lead to responses that are printed there. */
#define _POSIX_C_SOURCE 200809L
#include "peer.h"
#include "printing.h"
#include "support/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* MS-NLMP §4.2.1: User, Password, and the server's challenge; §4.2.2.2: what answers it. */
#define USER      "User"
#define PASSWORD  "Password"
#define CHALLENGE "\x01\x23\x45\x67\x89\xab\xcd\xef"
static const unsigned char lm_response[24] = {
    0x98, 0xde, 0xf7, 0xb8, 0x7f, 0x88, 0xaa, 0x5d, 0xaf, 0xe2, 0xdf, 0x77,
    0x96, 0x88, 0xa1, 0x72, 0xde, 0xf1, 0x1c, 0x7d, 0x5c, 0xcd, 0xef, 0x13,
};
static const unsigned char nt_response[24] = {
    0x67, 0xc4, 0x30, 0x11, 0xf3, 0x02, 0x98, 0xa2, 0xad, 0x35, 0xec, 0xe6,
    0x4f, 0x16, 0x33, 0x1c, 0x44, 0xbd, 0xbe, 0xd9, 0x27, 0x84, 0x1f, 0x94,
};

/* CHALLENGE_MESSAGE (§2.2.1.2): Unicode, NTLM, and a target name of a few letters. */
static const unsigned char challenge[] = "NTLMSSP\0\2\0\0\0"
                                         "\x0c\0\x0c\0\x30\0\0\0"
                                         "\x01\x02\x01\0" CHALLENGE "\0\0\0\0\0\0\0\0"
                                         "\0\0\0\0\x3c\0\0\0"
                                         "D\0o\0m\0a\0i\0n";

typedef struct service {
    peer_server server;
    const char *challenge; /* in base64, in place of the proper one */
    bool began, named, lm, nt;
} service;

/* A message of the client's. */
typedef struct message {
    unsigned char data[2048];
    size_t len;
} message;

static bool decode(message *m, const char *base64)
{
    size_t n = strlen(base64);
    m->len = 0;
    if (n == 0 || n % 4 != 0 || n > sizeof m->data ||
        EVP_DecodeBlock(m->data, (const unsigned char *)base64, (int)n) < 0)
        return false;
    m->len = n / 4 * 3 - (base64[n - 1] == '=') - (base64[n - 2] == '=');
    return true;
}

/* Whether a message is NTLM's, of this type. */
static bool is_type(const message *m, unsigned type)
{
    return m->len >= 12 && memcmp(m->data, "NTLMSSP\0", 8) == 0 && m->data[8] == type &&
           m->data[9] == 0 && m->data[10] == 0 && m->data[11] == 0;
}

/* Whether the field that is described at this place of the message is these octets. */
static bool field_is(const message *m, size_t at, const void *data, size_t len)
{
    if (m->len < at + 8)
        return false;
    size_t its_len = m->data[at] | (size_t)m->data[at + 1] << 8;
    size_t from = m->data[at + 4] | (size_t)m->data[at + 5] << 8;
    return its_len == len && from + len <= m->len && memcmp(m->data + from, data, len) == 0;
}

/* AUTHENTICATE_MESSAGE (§2.2.1.3): both responses, and the user's name in UTF-16. */
static bool verify(service *s, const message *m)
{
    s->lm = field_is(m, 12, lm_response, sizeof lm_response);
    s->nt = field_is(m, 20, nt_response, sizeof nt_response);
    s->named = field_is(m, 36, "U\0s\0e\0r", 8);
    return is_type(m, 3) && s->lm && s->nt && s->named;
}

static void serve_ntlm(peer *p, void *ctx)
{
    service *s = ctx;
    char line[4096];
    char base64[400];
    message m;
    if (!peer_tls(p, certificate("good.pem"), certificate("good.key"), TLS1_3_VERSION))
        return;
    peer_say(p, "+OK ready\r\n");
    if (!peer_line(p, line, sizeof line))
        return;
    peer_say(p, "+OK\r\nSASL NTLM\r\n.\r\n");
    if (!peer_line(p, line, sizeof line) || strncmp(line, "AUTH NTLM ", 10) != 0)
        return;
    s->began = decode(&m, line + 10) && is_type(&m, 1);
    EVP_EncodeBlock((unsigned char *)base64, challenge, sizeof challenge);
    peer_say(p, "+ %s\r\n", s->challenge != NULL ? s->challenge : base64);
    if (!peer_line(p, line, sizeof line))
        return;
    if (!decode(&m, line) || !verify(s, &m)) {
        peer_say(p, "-ERR [AUTH] no\r\n");
        (void)peer_line(p, line, sizeof line);
        return;
    }
    peer_say(p, "+OK\r\n");
    peer_mailbox(p);
}

/* Logs in to it. */
static pop3_status log_in(fixture *f, service *s, const char *password)
{
    certificate("good.pem"); /* made here, not in the thread */
    peer_start(&s->server, serve_ntlm, s);
    f->options.host = "127.0.0.1";
    f->options.port = s->server.port;
    f->options.security = POP3_SECURITY_TLS;
    f->options.timeout_ms = PROCESS_PATIENCE;
    f->options.tls = trusting(f);
    pop3_login_options o = POP3_LOGIN_OPTIONS_INIT;
    o.user = USER;
    o.password = password;
    o.mechanism = "NTLM";
    pop3_client *c = client_connected(f);
    pop3_status status = pop3_login(c, &o);
    assert_false(pop3_login_outcome(c)->server_proved);
    pop3_client_close(c);
    peer_stop(&s->server);
    return status;
}

static void ntlm_answers_the_published_challenge_with_the_published_responses(void **state)
{
    service s = {0};
    pop3_status status = log_in(*state, &s, PASSWORD);
    assert_true(s.began);
    assert_true(s.lm);
    assert_true(s.nt);
    assert_true(s.named);
    assert_status(POP3_OK, status);
}

static void another_password_gives_other_responses(void **state)
{
    service s = {0};
    assert_status(POP3_ERR_REFUSED, log_in(*state, &s, "password"));
    assert_true(s.named);
    assert_false(s.nt);
}

static void challenges_that_are_not_ntlms_are_a_broken_rule(void **state)
{
    static const char *const wrong[] = {
        "bm8=",             /* "no" */
        "TlRMTVNTUAACAAAA", /* a head without a body */
        /* a first message, and names that begin, end, or are as long as they must not be */
        "TlRMTVNTUAABAAAAAAAAADAAAAABAgEAASNFZ4mrze8AAAAAAAAAAAAAAAAAAAAA",
        "TlRMTVNTUAACAAAAAAAAADEAAAABAgEAASNFZ4mrze8AAAAAAAAAAAAAAAAAAAAA",
        "TlRMTVNTUAACAAAAEAAQADAAAAABAgEAASNFZ4mrze8AAAAAAAAAAAAAAAAAAAAA",
        "TlRMTVNTUAACAAAA/v/+/zAAAAABAgEAASNFZ4mrze8AAAAAAAAAAAAAAAAAAAAA",
        "TlRMTVNTUAACAAAAAAAAAP////8BAgEAASNFZ4mrze8AAAAAAAAAAAAAAAAAAAAA",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        service s = {.challenge = wrong[i]};
        assert_status(POP3_ERR_AUTHENTICATION, log_in(*state, &s, PASSWORD));
        assert_false(s.nt);
    }
}

static void print_mailbox_with_ntlm(void **state)
{
    service s = {0};
    char port[8];
    char ca[400];
    (void)state;
    snprintf(ca, sizeof ca, "%s", certificate("ca.pem"));
    peer_start(&s.server, serve_ntlm, &s);
    snprintf(port, sizeof port, "%u", s.server.port);
    const char *const arguments[] = {"--tls",     "--ca-file", ca,   "--auth", "NTLM",
                                     "127.0.0.1", port,        USER, NULL};
    printing_succeeds(arguments, PASSWORD "\n", PEER_MAIL);
    peer_stop(&s.server);
    assert_true(s.nt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ntlm_answers_the_published_challenge_with_the_published_responses),
        cmocka_unit_test(another_password_gives_other_responses),
        cmocka_unit_test(challenges_that_are_not_ntlms_are_a_broken_rule),
        cmocka_unit_test(print_mailbox_with_ntlm),
    };
    return run_suite("ntlm", tests, sizeof tests / sizeof *tests, NULL, 0);
}

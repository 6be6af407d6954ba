/* A login by each method, in which every allocation, digest and call of GNU SASL fails in turn.
 * After each failure the status is one that it may lead to, nothing leaks, no descriptor stays
 * open; a failed proof is never a login. */
#define _POSIX_C_SOURCE 200809L
#include <pop3/pop3.h>

#include "faults/faults.h"
#include "support/guard.h"
#include "support/scratch.h"
#include "support/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAY(status) (1u << (status))

#define CAPA(offers) "line '+OK'; expect 'CAPA'; capa " offers "; "

/* A login, and how it ends when nothing fails. */
typedef struct login {
    const char *name;
    const char *script;
    const char *mechanism; /* or NULL */
    const char *user, *authzid, *password, *token;
    bool by_callback; /* the secrets come from there; it has no token */
    bool two_lines;   /* no initial response in the command */
    bool ask_again;   /* CAPA once more afterwards */
    bool nobody;      /* no user is named */
    bool all_options; /* those that say nothing here are set, too */
    pop3_status expected;
} login;

/* So long that messages outgrow the buffers they begin with. */
static char long_name[601];
static char longer_name[701];

#define SERVER_FIRST                                                                               \
    "'+ "                                                                                          \
    "cj1BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQXh5eixzPWMyRnNkQ0J2WmlCMGFHVWdkR1Z6ZEE9PSxpPTQw" \
    "OTY='"

/* The exchanges of SCRAM were reckoned by Python's hmac and hashlib, with a nonce of zeros. */
static const login logins[] = {
    {.name = "PLAIN, and CAPA again",
     .script = CAPA("'SASL PLAIN'") "expect 'AUTH PLAIN dG9tAHRpbQB0YW5zdGFhZg=='; line '+OK'"
                                    "; expect 'CAPA'; capa 'TOP'; expect-eof",
     .authzid = "tom",
     .ask_again = true},
    {.name = "LOGIN",
     .script = CAPA("'SASL LOGIN'") "expect 'AUTH LOGIN'; line '+ VXNlcm5hbWU6'; expect 'dGlt'"
                                    "; line '+ UGFzc3dvcmQ6'; expect 'dGFuc3RhYWY='; line '+OK'"
                                    "; expect-eof"},
    {.name = "USER and PASS, after UTF8",
     .script = CAPA("'USER' 'UTF8 USER'") "expect 'UTF8'; line '+OK'; expect 'USER t\\xc3\\xaem'"
                                          "; line '+OK'; expect 'PASS tanstaaf'; line '+OK'"
                                          "; expect-eof",
     .user = "t\xc3\xaem"},
    {.name = "APOP",
     .script = "line '+OK <1@h>'; expect-prefix 'APOP tim '"
               "; line '+OK'; expect-eof",
     .mechanism = "APOP"},
    {.name = "CRAM-MD5",
     .script = CAPA("'SASL CRAM-MD5'") "expect 'AUTH CRAM-MD5'; line '+ PDFAaD4='; expect-any"
                                       "; line '+OK'; expect-eof"},
    {.name = "SCRAM-SHA-1",
     .script =
         CAPA("'SASL SCRAM-SHA-1'") "expect 'AUTH SCRAM-SHA-1 "
                                    "biwsbj10aW0scj1BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQQ=='"
                                    "; line '+ "
                                    "cj1BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQXh5eixzPWMyRnNkQ0"
                                    "J2WmlCMGFHVWdkR1Z6"
                                    "ZEE9PSxpPTQwOTY='"
                                    "; expect "
                                    "'Yz1iaXdzLHI9QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUF4eXosc"
                                    "D1UTmdvdldRWHdzakpY"
                                    "MzZsVWFBV2RnQ3YxVms9'"
                                    "; line '+ dj1mNEw0bmFVWFJiNmpzSEQvalJVOG9YVlIxaEE9'; expect "
                                    "''; line '+OK'; expect-eof"},
    {.name = "SCRAM-SHA-256 in lines of their own, for somebody else, with SASLprep",
     .script = CAPA("'SASL SCRAM-SHA-256'") "expect 'AUTH SCRAM-SHA-256'; line '+ '"
                                            "; expect "
                                            "'bixhPXRvbSxuPXRpbSxyPUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQ"
                                            "UFBQUFBQUFB'"
                                            "; line '+ "
                                            "cj1BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQXh5eixzPW"
                                            "MyRnNkQ0J2WmlCMGFHVWdkR1Z6"
                                            "ZEE9PSxpPTQwOTY='"
                                            "; expect "
                                            "'Yz1iaXhoUFhSdmJTdz0scj1BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQ"
                                            "UFBQUFBQUFBQXh5eixwPVc5cE9P"
                                            "VHV6RUNtTjFERW44bkUzcC81NU43S0k5QmlkeGxqMlluclUxLzQ9'"
                                            "; line '+ "
                                            "dj1MdHUzYmplcTB1UUk1bWFtV0FYcklZdlQrdUIvZVhqa3lKaG8yY2"
                                            "lleFJnPQ=='; expect ''"
                                            "; line '+OK'; expect-eof",
     .authzid = "tom",
     .password = "tanst\xc3\xa4\xc3\xa4"
                 "f",
     .two_lines = true},
    {.name = "SCRAM-SHA-256 with a server that reports an error",
     .script = CAPA("'SASL SCRAM-SHA-256'") "expect-any; line '+ ZT1vdGhlci1lcnJvcg=='; expect-any"
                                            "; line '-ERR no'; expect-eof",
     .expected = POP3_ERR_REFUSED},
    {.name = "SCRAM-SHA-256 with long names and all options, refused",
     .script = CAPA("'SASL SCRAM-SHA-256'") "expect 'AUTH SCRAM-SHA-256'; line '+ '; expect-any"
                                            "; line " SERVER_FIRST "; expect-any; line '-ERR no'"
                                            "; expect-eof",
     .mechanism = "SCRAM-SHA-256",
     .user = long_name,
     .authzid = longer_name,
     .all_options = true,
     .expected = POP3_ERR_REFUSED},
    {.name = "SCRAM-SHA-1 with a server that takes anything",
     .script = CAPA("'SASL SCRAM-SHA-1'") "expect-any; line " SERVER_FIRST "; expect-any"
                                          "; line '+OK welcome'; expect-eof",
     .expected = POP3_ERR_AUTHENTICATION},
    {.name = "PLAIN with long names",
     .script = CAPA("'SASL PLAIN'") "expect 'AUTH PLAIN'; line '+ '; expect-any; line '+OK'"
                                    "; expect-eof",
     .mechanism = "PLAIN",
     .user = long_name,
     .authzid = longer_name},
    {.name = "LOGIN with a long name",
     .script = CAPA("'SASL LOGIN'") "expect 'AUTH LOGIN'; line '+ '; expect-any; line '+ '"
                                    "; expect-any; line '+OK'; expect-eof",
     .user = longer_name},
    {.name = "CRAM-MD5 with a long name",
     .script = CAPA("'SASL CRAM-MD5'") "expect 'AUTH CRAM-MD5'; line '+ PDFAaD4='; expect-any"
                                       "; line '+OK'; expect-eof",
     .user = longer_name},
    {.name = "OAUTHBEARER with a long name",
     .script = CAPA("'SASL OAUTHBEARER'") "expect 'AUTH OAUTHBEARER'; line '+ '; expect-any"
                                          "; line '+OK'; expect-eof",
     .user = longer_name,
     .token = long_name},
    {.name = "XOAUTH2 with a long name",
     .script = CAPA("'SASL XOAUTH2'") "expect 'AUTH XOAUTH2'; line '+ '; expect-any; line '+OK'"
                                      "; expect-eof",
     .user = longer_name,
     .token = long_name},
    {.name = "EXTERNAL with a long name",
     .script = CAPA("'SASL EXTERNAL'") "expect 'AUTH EXTERNAL'; line '+ '; expect-any; line '+OK'"
                                       "; expect-eof",
     .mechanism = "EXTERNAL",
     .user = longer_name},
    {.name = "EXTERNAL without a name",
     .script = CAPA("'SASL EXTERNAL'") "expect 'AUTH EXTERNAL ='; line '+OK'; expect-eof",
     .mechanism = "EXTERNAL",
     .nobody = true},
    {.name = "OAUTHBEARER, refused with a report",
     .script = CAPA("'SASL OAUTHBEARER'") "expect-prefix 'AUTH OAUTHBEARER '"
                                          "; line '+ eyJzdGF0dXMiOiI0MDEifQ=='; expect 'AQ=='"
                                          "; line '-ERR no'; expect-eof",
     .token = "t0ken",
     .expected = POP3_ERR_REFUSED},
    {.name = "XOAUTH2, in two lines after a refusal",
     .script = CAPA("'SASL XOAUTH2'") "expect-prefix 'AUTH XOAUTH2 '; line '-ERR what?'"
                                      "; expect 'AUTH XOAUTH2'; line '+ '; expect-any; line '+OK'"
                                      "; expect-eof",
     .token = "t0ken"},
    {.name = "PLAIN, with a password from the callback, which has no token",
     .script = CAPA("'SASL PLAIN XOAUTH2'") "expect 'AUTH PLAIN AHRpbQB0YW5zdGFhZg=='; line '+OK'"
                                            "; expect-eof",
     .by_callback = true},
    {.name = "EXTERNAL",
     .script = CAPA("'SASL EXTERNAL'") "expect 'AUTH EXTERNAL dGlt'; line '+OK'; expect-eof",
     .mechanism = "EXTERNAL"},
    {.name = "DIGEST-MD5, refused",
     .script = CAPA("'SASL DIGEST-MD5'") "expect 'AUTH DIGEST-MD5'"
                                         "; line '+ "
                                         "bm9uY2U9IngiLHFvcD0iYXV0aCIsYWxnb3JpdGhtPW1kNS1zZXNzLGNoY"
                                         "XJzZXQ9dXRmLTg='"
                                         "; expect-any; line '-ERR no'; expect-eof",
     .mechanism = "DIGEST-MD5",
     .expected = POP3_ERR_REFUSED},
    {.name = "NTLM",
     .script = CAPA("'SASL NTLM'") "expect-prefix 'AUTH NTLM TlRMTVNTUAABA'"
                                   "; line '+ "
                                   "TlRMTVNTUAACAAAADAAMADAAAAABAgEAASNFZ4mrze8AAAAAAAAAAAAAAAA8AAA"
                                   "ARABvAG0AYQBpAG4A'"
                                   "; expect-prefix 'TlRMTVNTUAADA'; line '+OK'; expect-eof",
     .mechanism = "NTLM"},
};

/* What fails, and what that may lead to besides success. */
typedef struct trial {
    const char *name;
    fault fault;
    unsigned allowed;
} trial;

static const trial trials[] = {
    {.name = "an allocation fails",
     .fault = {.call = FAULT_ALLOCATION, .error = ENOMEM},
     .allowed = MAY(POP3_ERR_MEMORY)},
    {.name = "all allocations fail from one on",
     .fault = {.call = FAULT_ALLOCATION, .extent = FAULT_FROM_THERE, .error = ENOMEM},
     .allowed = MAY(POP3_ERR_MEMORY)},
    /* The scripts do not expect "*": they go on, which breaks the rules, or close. */
    {.name = "a digest fails",
     .fault = {.call = FAULT_DIGEST},
     .allowed = MAY(POP3_ERR_NOT_OFFERED) | MAY(POP3_ERR_AUTHENTICATION) | MAY(POP3_ERR_CLOSED)},
    {.name = "a call of GNU SASL fails",
     .fault = {.call = FAULT_GSASL},
     .allowed = MAY(POP3_ERR_MEMORY) | MAY(POP3_ERR_NOT_OFFERED)},
};

static pop3_status give_secret(void *ctx, pop3_secret_kind kind, const char *user, char *buffer,
                               size_t size, size_t *len)
{
    static const char password[] = "tanstaaf";
    (void)ctx;
    (void)user;
    (void)size;
    if (kind == POP3_SECRET_TOKEN)
        return POP3_ERR_NOT_OFFERED;
    *len = sizeof password - 1;
    memcpy(buffer, password, *len);
    return POP3_OK;
}

static pop3_status play(const login *l, const server *s)
{
    pop3_client_options o = POP3_CLIENT_OPTIONS_INIT;
    pop3_login_options how = POP3_LOGIN_OPTIONS_INIT;
    pop3_client *c = NULL;
    o.host = "127.0.0.1";
    o.port = s->port;
    o.security = POP3_SECURITY_PLAIN;
    o.connect_timeout_ms = o.timeout_ms = PROCESS_PATIENCE;
    how.user = l->user != NULL ? l->user : "tim";
    if (l->nobody)
        how.user = NULL;
    if (l->all_options) {
        how.realm = how.service_host = "example.org";
        how.channel_binding = "tls-server-end-point";
    }
    how.authzid = l->authzid;
    how.mechanism = l->mechanism;
    how.token = l->token;
    how.allow_plaintext = true;
    how.ask_capabilities = l->ask_again;
    if (l->two_lines)
        how.initial_response = POP3_INITIAL_RESPONSE_NEVER;
    if (l->by_callback)
        how.secret = give_secret;
    else if (l->token == NULL)
        how.password = l->password != NULL ? l->password : "tanstaaf";
    pop3_status status = pop3_client_new(&c, &o);
    if (status == POP3_OK)
        status = pop3_client_connect(c);
    if (status == POP3_OK)
        status = pop3_login(c, &how);
    pop3_client_free(c);
    return status;
}

/* One login with the n-th call failing. Returns what is wrong, or NULL; *hit when a call failed. */
static const char *attempt(const login *l, const trial *t, const server *s, unsigned long n,
                           bool *hit)
{
    static char how[128];
    int descriptors = guard_descriptors();
    long allocations = faults_allocations();
    guard_begin();
    faults_arm(&t->fault, n);
    pop3_status status = play(l, s);
    *hit = faults_disarm();
    if (!guard_end(descriptors))
        return "a descriptor stays open, or SIGPIPE was raised";
    if (faults_allocations() != allocations)
        return "memory leaks";
    if (status == l->expected || (*hit && (t->allowed & MAY(status)) != 0))
        return NULL;
    snprintf(how, sizeof how, "the login ended as '%s'", pop3_status_name(status));
    return how;
}

/* Fails each call in turn until the login passes untouched. */
static bool run(unsigned number, const login *l, const trial *t)
{
    unsigned long n = 0;
    const char *wrong = NULL;
    bool hit = true;
    server s = SERVER_NONE;
    const char *const options[] = {NULL};
    if (!server_start(&s, l->script, options))
        wrong = "the server does not start";
    while (hit && wrong == NULL)
        wrong = attempt(l, t, &s, ++n, &hit);
    free(server_stop(&s));
    printf("%s %u - %s: %s: %lu logins\n", wrong == NULL ? "ok" : "not ok", number, l->name,
           t->name, n);
    if (wrong != NULL)
        printf("# with call %lu failing: %s\n", n, wrong);
    fflush(stdout);
    return wrong == NULL;
}

int main(void)
{
    unsigned tests = 0, failures = 0;
    memset(long_name, 'n', sizeof long_name - 1);
    memset(longer_name, 'm', sizeof longer_name - 1);
    guard_install();
    if (!faults_install())
        return 99;
    for (size_t i = 0; i < sizeof logins / sizeof logins[0]; i++) {
        for (size_t k = 0; k < sizeof trials / sizeof trials[0]; k++)
            failures += !run(++tests, &logins[i], &trials[k]);
    }
    printf("1..%u\n", tests);
    scratch_remove();
    return failures > 0;
}

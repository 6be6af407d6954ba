/* The library as a client of the catalogue: retrieves and deletes all there is, and reports what it
 * believes happened. What every client of the catalogue must do is in README.md. */
#define _POSIX_C_SOURCE 200809L
#include <pop3/pop3.h>

#include "support/guard.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Most messages that are asked for: the maildrop has three, whatever the server says. */
#define MESSAGES 5

typedef struct message {
    uint32_t number;
    EVP_MD_CTX *digest; /* SHA-256 of what came */
    bool whole;
    bool deleted;
} message;

typedef struct session {
    pop3_client *client;
    pop3_status ended; /* the first failure that ended it */
    message messages[MESSAGES];
    size_t count;
    size_t present; /* the message that comes */
} session;

static void take_number(session *s, uint32_t number)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->messages[i].number == number)
            return;
    }
    if (s->count < MESSAGES)
        s->messages[s->count++] = (message){.number = number};
}

static bool take_entry(void *ctx, const pop3_entry *entry, pop3_str line)
{
    (void)line;
    take_number(ctx, entry->number);
    return true;
}

static bool take_uid(void *ctx, const pop3_entry *entry, pop3_str line)
{
    (void)ctx;
    (void)line;
    return entry->number > 0; /* one without a unique-id is taken */
}

static pop3_sink_result take_octets(void *ctx, const char *data, size_t len)
{
    session *s = ctx;
    message *m = &s->messages[s->present];
    return EVP_DigestUpdate(m->digest, data, len) == 1 ? POP3_SINK_CONTINUE : POP3_SINK_ABORT;
}

static void message_over(void *ctx, pop3_client *client, const pop3_result *result)
{
    session *s = ctx;
    (void)client;
    s->messages[s->present++].whole = result->status == POP3_OK;
}

static void deletion_over(void *ctx, pop3_client *client, const pop3_result *result)
{
    session *s = ctx;
    (void)client;
    for (size_t i = 0; i < s->count; i++) {
        if (s->messages[i].number == result->number)
            s->messages[i].deleted = result->status == POP3_OK;
    }
}

/* Notes how a call ended. False when the session is over by it. */
static bool alive(session *s, pop3_status status)
{
    if (status == POP3_OK ||
        (status == POP3_ERR_REFUSED && pop3_client_state(s->client) != POP3_STATE_DEAD))
        return true;
    s->ended = status;
    return false;
}

static bool retrieve(session *s)
{
    uint32_t numbers[MESSAGES];
    pop3_handlers h = POP3_HANDLERS_INIT;
    h.sink = take_octets;
    h.done = message_over;
    h.ctx = s;
    for (size_t i = 0; i < s->count; i++) {
        numbers[i] = s->messages[i].number;
        s->messages[i].digest = EVP_MD_CTX_new();
        if (s->messages[i].digest == NULL ||
            EVP_DigestInit_ex(s->messages[i].digest, EVP_sha256(), NULL) != 1)
            abort();
    }
    return alive(s, pop3_client_retr_many(s->client, numbers, s->count, &h));
}

static bool delete_whole_ones(session *s)
{
    pop3_handlers h = POP3_HANDLERS_INIT;
    h.done = deletion_over;
    h.ctx = s;
    for (size_t i = 0; i < s->count; i++) {
        pop3_command command = POP3_COMMAND_INIT;
        command.kind = POP3_CMD_DELE;
        command.number = s->messages[i].number;
        if (s->messages[i].whole && pop3_client_submit(s->client, &command, &h) != POP3_OK)
            break; /* the connection ended after the last message: run() says how */
    }
    return alive(s, pop3_client_run(s->client));
}

/* Whether the library asks for capabilities and picks the method of logging in. */
static int picks_method;

static bool log_in(session *s)
{
    if (picks_method) {
        pop3_login_options o = POP3_LOGIN_OPTIONS_INIT;
        o.user = "joe";
        o.password = "secret";
        o.allow_plaintext = true;
        o.utf8 = true;
        s->ended = pop3_login(s->client, &o);
        return s->ended == POP3_OK;
    }
    pop3_status status = pop3_client_user(s->client, "joe");
    if (status == POP3_OK)
        status = pop3_client_pass(s->client, "secret");
    s->ended = status;
    return status == POP3_OK;
}

static bool look(session *s)
{
    pop3_stat stat = {0};
    if (!alive(s, pop3_client_stat(s->client, &stat)))
        return false;
    pop3_status listed = pop3_client_list(s->client, take_entry, s);
    if (!alive(s, listed))
        return false;
    for (uint32_t n = 1; listed != POP3_OK && n <= MESSAGES && n <= stat.count; n++)
        take_number(s, n);
    return alive(s, pop3_client_uidl(s->client, take_uid, s));
}

static void play(session *s)
{
    pop3_client *c = s->client;
    s->ended = pop3_client_connect(c);
    bool deletions_count = false;
    if (s->ended == POP3_OK && (picks_method || alive(s, pop3_client_capa(c, NULL))) && log_in(s) &&
        (picks_method || alive(s, pop3_client_capa(c, NULL))) && look(s) && retrieve(s) &&
        delete_whole_ones(s)) {
        s->ended = pop3_client_quit(c);
        deletions_count = s->ended == POP3_OK;
    }
    for (size_t i = 0; i < s->count && !deletions_count; i++)
        s->messages[i].deleted = false; /* without a good QUIT nothing is (RFC 1939 §6) */
}

static bool printable(const char *s)
{
    for (; *s != '\0'; s++) {
        if ((unsigned char)*s < ' ' || (unsigned char)*s >= 0x7F)
            return false;
    }
    return true;
}

/* The first eight octets of a message's digest. */
static void print_digest(const message *m)
{
    unsigned char octets[EVP_MAX_MD_SIZE];
    if (EVP_DigestFinal_ex(m->digest, octets, NULL) != 1)
        abort();
    printf("delivered %" PRIu32 " ", m->number);
    for (size_t i = 0; i < 8; i++)
        printf("%02x", octets[i]);
    printf("\n");
}

static void report(const session *s)
{
    const pop3_error *error = pop3_client_error(s->client);
    printf("session %s\n", pop3_status_name(s->ended));
    for (size_t i = 0; i < s->count; i++) {
        if (s->messages[i].whole)
            print_digest(&s->messages[i]);
        if (s->messages[i].deleted)
            printf("deleted %" PRIu32 "\n", s->messages[i].number);
    }
    if (s->ended != POP3_OK)
        printf("says %s\n", error->message);
    if (!printable(error->message) || !printable(error->server_text))
        printf("broken: control characters in a message\n");
    if (s->ended != POP3_OK && error->message[0] == '\0')
        printf("broken: no message\n");
}

/* NAME=VALUE; a value may end in K or M. */
static bool take_option(pop3_client_options *o, const char *word)
{
    const char *value = strchr(word, '=');
    if (value == NULL)
        return false;
    size_t len = (size_t)(value - word);
    char *end;
    uint64_t n = strtoull(value + 1, &end, 10);
    if (*end == 'M' && n <= UINT64_MAX >> 20)
        n <<= 20;
    const struct {
        const char *name;
        int *ms;
        uint64_t *limit;
    } known[] = {
        {"timeout", &o->timeout_ms, NULL},
        {"connect-timeout", &o->connect_timeout_ms, NULL},
        {"session-timeout", &o->session_timeout_ms, NULL},
        {"login", &picks_method, NULL},
        {"entries", NULL, &o->engine.limits.entries},
        {"message-octets", NULL, &o->engine.limits.message_octets},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strlen(known[i].name) != len || strncmp(known[i].name, word, len) != 0)
            continue;
        if (known[i].ms != NULL)
            *known[i].ms = (int)n;
        else
            *known[i].limit = n;
        return true;
    }
    return false;
}

static bool set_security(pop3_client_options *o, const char *how)
{
    if (strcmp(how, "plain") == 0)
        o->security = POP3_SECURITY_PLAIN;
    else if (strcmp(how, "stls") == 0)
        o->security = POP3_SECURITY_STLS;
    else if (strcmp(how, "tls") == 0)
        o->security = POP3_SECURITY_TLS;
    else
        return false;
    return true;
}

/* library-client plain|tls|stls PORT CA-FILE [NAME=VALUE]... */
int main(int argc, char **argv)
{
    pop3_client_options o = POP3_CLIENT_OPTIONS_INIT;
    pop3_tls_options trust = POP3_TLS_OPTIONS_INIT;
    session s = {.ended = POP3_OK};
    char why[300] = "wrong arguments";
    guard_install();
    o.host = "localhost";
    o.local_address = "127.0.0.1"; /* the server is not on ::1 */
    o.allow_plaintext_password = true;
    bool ok = argc >= 4 && set_security(&o, argv[1]);
    for (int i = 4; i < argc && ok; i++)
        ok = take_option(&o, argv[i]);
    if (ok) {
        o.port = (uint16_t)strtoul(argv[2], NULL, 10);
        trust.ca_file = argv[3];
        ok = pop3_tls_new(&o.tls, &trust, why, sizeof why) == POP3_OK;
    }
    int before = guard_descriptors();
    long memory = guard_memory("VmHWM:");
    ok = ok && pop3_client_new(&s.client, &o) == POP3_OK;
    if (!ok) {
        fprintf(stderr, "library-client: %s\n", why);
        pop3_tls_free(o.tls);
        return 2;
    }
    guard_begin();
    play(&s);
    printf("memory %ld\n", guard_memory("VmHWM:") - memory);
    report(&s);
    pop3_client_free(s.client);
    for (size_t i = 0; i < s.count; i++)
        EVP_MD_CTX_free(s.messages[i].digest);
    if (!guard_end(before))
        printf("broken: a descriptor was left open, or SIGPIPE raised\n");
    pop3_tls_free(o.tls);
    return 0;
}

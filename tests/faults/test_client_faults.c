/* A whole session of the client, in which every call that can fail does so in turn. After each
 * failure: the status is one that the call may lead to, what was delivered is octet for octet what
 * the server has, each command had its one end, nothing leaks, no descriptor stays open.
 *
 * FAULT_STRIDE=1 fails each of OpenSSL's thousands of allocations, and not each 61st. */
#define _POSIX_C_SOURCE 200809L
#include <pop3/pop3.h>

#include "faults/faults.h"
#include "support/guard.h"
#include "support/scratch.h"
#include "support/server.h"
#include "support/text.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGES 3

#define MAY(status) (1u << (status))

/* What a fault may lead to, besides success. */
typedef struct trial {
    const char *name;
    fault fault;
    unsigned allowed;   /* set of MAY(status); 0: the session must succeed all the same */
    bool tls_only;      /* says nothing without TLS */
    unsigned long each; /* fail each so-manieth call, to save time */
} trial;

/* One session, and what it believes. */
typedef struct session {
    pop3_security security;
    const server *server;
    pop3_client *client;
    uint64_t hashes[MESSAGES + 1];
    size_t messages_over, whole;
    size_t deletions_over, deletions;
    const char *wrong; /* what must not happen did */
} session;

static uint64_t right_hash[MESSAGES + 1];
static unsigned tests, failures;

static pop3_sink_result take_octets(void *ctx, const char *data, size_t len)
{
    session *s = ctx;
    uint64_t *hash = &s->hashes[s->messages_over + 1];
    *hash = hash_octets(*hash, data, len);
    return POP3_SINK_CONTINUE;
}

static void message_over(void *ctx, pop3_client *c, const pop3_result *result)
{
    session *s = ctx;
    (void)c;
    size_t n = ++s->messages_over;
    if (n > MESSAGES || result->number != n)
        s->wrong = "the end of a message out of turn";
    else if (result->status == POP3_OK && s->hashes[n] != right_hash[n])
        s->wrong = "a message was delivered with other octets";
    s->whole += result->status == POP3_OK;
}

static void deletion_over(void *ctx, pop3_client *c, const pop3_result *result)
{
    session *s = ctx;
    (void)c;
    s->deletions_over++;
    s->deletions += result->status == POP3_OK;
}

static pop3_status connect_and_log_in(session *s)
{
    pop3_client_options o = POP3_CLIENT_OPTIONS_INIT;
    pop3_tls_options trust = POP3_TLS_OPTIONS_INIT;
    pop3_login_options l = POP3_LOGIN_OPTIONS_INIT;
    pop3_status status = POP3_OK;
    trust.ca_file = certificate("ca.pem");
    o.host = "localhost";
    o.local_address = "127.0.0.1";
    o.security = s->security;
    o.port = s->security == POP3_SECURITY_TLS ? s->server->tls_port : s->server->port;
    o.connect_timeout_ms = o.timeout_ms = PROCESS_PATIENCE;
    if (s->security != POP3_SECURITY_PLAIN)
        status = pop3_tls_new(&o.tls, &trust, NULL, 0);
    if (status == POP3_OK)
        status = pop3_client_new(&s->client, &o);
    pop3_tls_free(o.tls);
    if (status == POP3_OK)
        status = pop3_client_connect(s->client);
    if (status != POP3_OK)
        return status;
    l.user = "joe";
    l.password = "secret";
    l.allow_plaintext = true;
    l.ask_capabilities = true;
    return pop3_login(s->client, &l);
}

static pop3_status look(session *s)
{
    pop3_listing *sizes = NULL, *uids = NULL;
    pop3_stat stat;
    pop3_status status = pop3_client_stat(s->client, &stat);
    if (status == POP3_OK)
        status = pop3_client_list_all(s->client, &sizes);
    if (status == POP3_OK)
        status = pop3_client_uidl_all(s->client, &uids);
    if (status == POP3_OK &&
        (stat.count != MESSAGES || sizes->count != MESSAGES || uids->count != MESSAGES))
        s->wrong = "a count is wrong";
    pop3_listing_free(sizes);
    pop3_listing_free(uids);
    return status;
}

static pop3_status retrieve(session *s)
{
    static const uint32_t numbers[MESSAGES] = {1, 2, 3};
    pop3_handlers h = POP3_HANDLERS_INIT;
    h.sink = take_octets;
    h.done = message_over;
    h.ctx = s;
    for (size_t i = 0; i <= MESSAGES; i++)
        s->hashes[i] = HASH_BEGIN;
    pop3_status status = pop3_client_retr_many(s->client, numbers, MESSAGES, &h);
    char *data = NULL;
    size_t len;
    if (status == POP3_OK)
        status = pop3_client_retr_memory(s->client, 3, 0, &data, &len);
    if (status == POP3_OK && hash_octets(HASH_BEGIN, data, len) != right_hash[3])
        s->wrong = "a message in memory has other octets";
    free(data);
    return status;
}

static pop3_status delete_all(session *s)
{
    pop3_handlers h = POP3_HANDLERS_INIT;
    h.done = deletion_over;
    h.ctx = s;
    size_t submitted = 0;
    pop3_status status = POP3_OK;
    for (uint32_t n = 1; n <= MESSAGES && status == POP3_OK; n++) {
        pop3_command command = POP3_COMMAND_INIT;
        command.kind = POP3_CMD_DELE;
        command.number = n;
        status = pop3_client_submit(s->client, &command, &h);
        submitted += status == POP3_OK;
    }
    pop3_status ran = pop3_client_run(s->client);
    if (s->deletions_over != submitted)
        s->wrong = "a command had no end, or two";
    return ran != POP3_OK ? ran : status;
}

static bool is_in(pop3_str line, pop3_str part)
{
    return line.len > 0 && part.data >= line.data && part.data + part.len <= line.data + line.len;
}

static pop3_status play(session *s)
{
    pop3_client *c;
    pop3_entry entry;
    pop3_status status = connect_and_log_in(s);
    c = s->client;
    if (status == POP3_OK)
        status = look(s);
    if (status == POP3_OK)
        status = pop3_client_uidl_one(c, 2, &entry);
    if (status == POP3_OK && !is_in(pop3_client_reply(c)->line, entry.uid))
        s->wrong = "a unique-id is not a part of the reply";
    if (status == POP3_OK)
        status = pop3_client_top(c, 1, 0, NULL, NULL);
    if (status == POP3_OK)
        status = pop3_client_raw(c, "NOOP");
    if (status == POP3_OK)
        status = pop3_client_raw_list(c, "LIST", NULL, NULL);
    if (status == POP3_OK)
        status = retrieve(s);
    if (status == POP3_OK)
        status = delete_all(s);
    if (status == POP3_OK)
        status = pop3_client_quit(c);
    if (status == POP3_OK && (s->whole != MESSAGES || s->deletions != MESSAGES))
        s->wrong = "success, but not all was done";
    pop3_client_free(c);
    return status;
}

/* Plays one session with the n-th call failing. Returns what is wrong, or NULL; *hit says whether
 * anything failed. */
static const char *attempt(const trial *t, pop3_security security, const server *from,
                           unsigned long n, bool *hit)
{
    static char how[200];
    session s = {.security = security, .server = from};
    certificate("ca.pem"); /* made before faults begin */
    int descriptors = guard_descriptors();
    long allocations = faults_allocations();
    guard_begin();
    faults_arm(&t->fault, n);
    pop3_status status = play(&s);
    *hit = faults_disarm();
    if (!faults_threads_ended())
        return "a thread does not end";
    if (!guard_end(descriptors))
        return "a descriptor stays open, or SIGPIPE was raised";
    if (faults_allocations() != allocations)
        return "memory leaks";
    if (s.wrong != NULL)
        return s.wrong;
    bool fine = status == POP3_OK || (*hit && (t->allowed & MAY(status)) != 0);
    if (fine)
        return NULL;
    snprintf(how, sizeof how, "the session ended as '%s'", pop3_status_name(status));
    return how;
}

/* Fails each call in turn until the session passes untouched. */
static void run(const trial *t, pop3_security security, const server *from)
{
    static const char *const over[] = {"TLS", "STLS", "plain TCP"};
    unsigned long n = 1, failed_calls = 0;
    const char *wrong = NULL;
    bool hit = true;
    while (hit && wrong == NULL) {
        wrong = attempt(t, security, from, n, &hit);
        failed_calls += hit;
        if (t->fault.extent == FAULT_EVERY_OTHER || wrong != NULL)
            break;
        n += t->each > 1 ? t->each : 1;
    }
    if (wrong == NULL && failed_calls == 0)
        wrong = "no call failed";
    failures += wrong != NULL;
    printf("%s %u - %s, over %s", wrong == NULL ? "ok" : "not ok", ++tests, t->name,
           over[security]);
    if (t->fault.extent == FAULT_EVERY_OTHER)
        printf("\n");
    else
        printf(": %lu sessions\n", failed_calls);
    if (wrong != NULL)
        printf("# with call %lu failing: %s\n", n, wrong);
    fflush(stdout);
}

static void learn_messages(const char *folder)
{
    for (size_t n = 1; n <= MESSAGES; n++) {
        char path[600];
        snprintf(path, sizeof path, "%s/%zu.eml", folder, n);
        text t = text_of_file(path);
        right_hash[n] = HASH_BEGIN;
        for (size_t i = 0; i < t.len; i++) {
            const char *octets = t.data[i] == '\n' ? "\r\n" : &t.data[i];
            right_hash[n] = hash_octets(right_hash[n], octets, t.data[i] == '\n' ? 2 : 1);
        }
        free(t.data);
    }
}

static const unsigned network =
    MAY(POP3_ERR_CLOSED) | MAY(POP3_ERR_IO) | MAY(POP3_ERR_TLS) | MAY(POP3_ERR_CONNECT);

static const trial trials[] = {
    {.name = "an allocation fails",
     .fault = {.call = FAULT_ALLOCATION, .error = ENOMEM},
     .allowed = MAY(POP3_ERR_MEMORY)},
    {.name = "all allocations fail from one on",
     .fault = {.call = FAULT_ALLOCATION, .extent = FAULT_FROM_THERE, .error = ENOMEM},
     .allowed = MAY(POP3_ERR_MEMORY)},
    {.name = "recv fails with EIO",
     .fault = {.call = FAULT_RECV, .error = EIO},
     .allowed = MAY(POP3_ERR_IO)},
    {.name = "recv fails with ECONNRESET",
     .fault = {.call = FAULT_RECV, .error = ECONNRESET},
     .allowed = MAY(POP3_ERR_CLOSED)},
    {.name = "recv fails with ETIMEDOUT",
     .fault = {.call = FAULT_RECV, .error = ETIMEDOUT},
     .allowed = MAY(POP3_ERR_IO)},
    {.name = "recv finds the end",
     .fault = {.call = FAULT_RECV, .at_end = true},
     .allowed = MAY(POP3_ERR_CLOSED)},
    {.name = "recv is interrupted", .fault = {.call = FAULT_RECV, .error = EINTR}},
    {.name = "recv finds nothing", .fault = {.call = FAULT_RECV, .error = EAGAIN}},
    {.name = "every other recv is interrupted",
     .fault = {.call = FAULT_RECV, .extent = FAULT_EVERY_OTHER, .error = EINTR}},
    {.name = "every other recv finds nothing",
     .fault = {.call = FAULT_RECV, .extent = FAULT_EVERY_OTHER, .error = EAGAIN}},
    {.name = "recv brings one octet at a time",
     .fault = {.call = FAULT_RECV, .extent = FAULT_FROM_THERE, .one_octet = true},
     .each = 1000},
    {.name = "send fails with EPIPE",
     .fault = {.call = FAULT_SEND, .error = EPIPE},
     .allowed = MAY(POP3_ERR_CLOSED)},
    {.name = "send fails with EIO",
     .fault = {.call = FAULT_SEND, .error = EIO},
     .allowed = MAY(POP3_ERR_IO)},
    {.name = "send is interrupted", .fault = {.call = FAULT_SEND, .error = EINTR}},
    {.name = "send finds no room", .fault = {.call = FAULT_SEND, .error = EAGAIN}},
    {.name = "every other send finds no room",
     .fault = {.call = FAULT_SEND, .extent = FAULT_EVERY_OTHER, .error = EAGAIN}},
    {.name = "send takes one octet at a time",
     .fault = {.call = FAULT_SEND, .extent = FAULT_FROM_THERE, .one_octet = true},
     .each = 1000},
    {.name = "poll is interrupted", .fault = {.call = FAULT_POLL, .error = EINTR}},
    {.name = "poll lacks memory", .fault = {.call = FAULT_POLL, .error = ENOMEM}},
    {.name = "connect is refused",
     .fault = {.call = FAULT_CONNECT, .error = ECONNREFUSED},
     .allowed = MAY(POP3_ERR_CONNECT)},
    {.name = "connect is interrupted", .fault = {.call = FAULT_CONNECT, .error = EINTR}},
    {.name = "there are no more sockets",
     .fault = {.call = FAULT_SOCKET, .error = EMFILE},
     .allowed = MAY(POP3_ERR_CONNECT)},
    {.name = "bind fails",
     .fault = {.call = FAULT_BIND, .error = EADDRNOTAVAIL},
     .allowed = MAY(POP3_ERR_CONNECT)},
    {.name = "getsockopt fails",
     .fault = {.call = FAULT_GETSOCKOPT, .error = ENOTSOCK},
     .allowed = MAY(POP3_ERR_CONNECT)},
    {.name = "there are no more pipes",
     .fault = {.call = FAULT_PIPE, .error = EMFILE},
     .allowed = MAY(POP3_ERR_IO)},
    {.name = "the resolver fails",
     .fault = {.call = FAULT_GETADDRINFO, .error = EAI_AGAIN},
     .allowed = MAY(POP3_ERR_RESOLVE) | MAY(POP3_ERR_ARGUMENT)},
    {.name = "there are no more threads",
     .fault = {.call = FAULT_THREAD, .error = EAGAIN},
     .allowed = MAY(POP3_ERR_IO)},
    {.name = "an allocation of OpenSSL fails",
     .fault = {.call = FAULT_OPENSSL_ALLOCATION, .error = ENOMEM},
     .allowed = network | MAY(POP3_ERR_MEMORY) | MAY(POP3_ERR_ARGUMENT) |
                MAY(POP3_ERR_CERTIFICATE) | MAY(POP3_ERR_NOT_OFFERED) |
                MAY(POP3_ERR_AUTHENTICATION),
     .tls_only = true,
     .each = 61},
};

int main(void)
{
    /* The unique-id is longer than a reply that was kept before. */
    static const char script[] = "on DELE { line '+OK' }\n"
                                 "on 'UIDL 2' { line '+OK 2 2222222222222222222222222222222222"
                                 "222222222222222222222222222222222222' }; serve";
    const char *mail = getenv("POP3_MAIL");
    const char *stride = getenv("FAULT_STRIDE");
    server s;
    guard_install();
    if (mail == NULL || !faults_install())
        return 99;
    learn_messages(mail);
    const char *const options[] = {"--mail",
                                   mail,
                                   "--cert",
                                   certificate("good.pem"),
                                   "--tls",
                                   "--key",
                                   certificate("good.key"),
                                   NULL};
    if (!server_start(&s, script, options)) {
        scratch_remove();
        return 99;
    }
    for (size_t i = 0; i < sizeof trials / sizeof trials[0]; i++) {
        trial t = trials[i];
        if (t.fault.call == FAULT_OPENSSL_ALLOCATION && stride != NULL)
            t.each = strtoul(stride, NULL, 10);
        if (!t.tls_only)
            run(&t, POP3_SECURITY_PLAIN, &s);
        run(&t, POP3_SECURITY_TLS, &s);
        run(&t, POP3_SECURITY_STLS, &s);
    }
    printf("1..%u\n", tests);
    free(server_stop(&s));
    scratch_remove();
    return failures > 0;
}

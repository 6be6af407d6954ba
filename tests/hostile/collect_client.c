/* libpop3-collect as a client of the catalogue: a visit that delivers to functions of its own,
 * deletes, and reports what was committed. What every client must do is in README.md. */
#define _POSIX_C_SOURCE 200809L
#include <pop3/collect.h>

#include "support/guard.h"
#include "support/scratch.h"
#include "support/text.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Most messages that are kept: the maildrop has three, whatever the server says. */
#define MESSAGES 500

/* A message on its way, or committed. */
typedef struct message {
    char name[201];
    EVP_MD_CTX *digest; /* SHA-256 of what came */
} message;

/* The target: what was committed, and how many messages have been begun and not ended. */
typedef struct target {
    message *kept[MESSAGES];
    size_t count;
    size_t open;
} target;

static pop3_collect_status begin_message(void *ctx, const char *name, void **out,
                                         pop3_collect_error *error)
{
    target *t = ctx;
    message *m = calloc(1, sizeof *m);
    (void)error;
    if (m == NULL || strlen(name) >= sizeof m->name)
        abort();
    snprintf(m->name, sizeof m->name, "%s", name);
    m->digest = EVP_MD_CTX_new();
    if (m->digest == NULL || EVP_DigestInit_ex(m->digest, EVP_sha256(), NULL) != 1)
        abort();
    t->open++;
    *out = m;
    return POP3_COLLECT_OK;
}

static pop3_collect_status write_message(void *ctx, void *msg, const char *data, size_t len,
                                         pop3_collect_error *error)
{
    (void)ctx;
    (void)error;
    if (len == 0 || EVP_DigestUpdate(((message *)msg)->digest, data, len) != 1)
        abort();
    return POP3_COLLECT_OK;
}

static void free_message(message *m)
{
    EVP_MD_CTX_free(m->digest);
    free(m);
}

static void abort_message(void *ctx, void *msg)
{
    ((target *)ctx)->open--;
    free_message(msg);
}

static pop3_collect_status commit_messages(void *ctx, void *const *messages, size_t count,
                                           pop3_collect_error *error)
{
    target *t = ctx;
    (void)error;
    for (size_t i = 0; i < count; i++) {
        if (t->count == MESSAGES)
            abort();
        t->kept[t->count++] = messages[i];
        t->open--;
    }
    return POP3_COLLECT_OK;
}

static pop3_collect_status find_message(void *ctx, const char *name, bool *there,
                                        pop3_collect_error *error)
{
    const target *t = ctx;
    (void)error;
    for (size_t i = 0; i < t->count; i++)
        *there = *there || strcmp(t->kept[i]->name, name) == 0;
    return POP3_COLLECT_OK;
}

/* The first eight octets of a message's digest. */
static void print_digest(message *m)
{
    unsigned char octets[EVP_MAX_MD_SIZE];
    if (EVP_DigestFinal_ex(m->digest, octets, NULL) != 1)
        abort();
    printf("delivered ? ");
    for (size_t i = 0; i < 8; i++)
        printf("%02x", octets[i]);
    printf("\n");
}

static bool is_printable(const char *s)
{
    while (*s != '\0' && (unsigned char)*s >= ' ' && (unsigned char)*s != 0x7F)
        s++;
    return *s == '\0';
}

static void report(target *t, pop3_collect_status status, const pop3_visit_report *r)
{
    printf("session %s\n", pop3_collect_status_name(status));
    for (size_t i = 0; i < t->count; i++)
        print_digest(t->kept[i]);
    for (uint64_t i = 0; i < r->deleted; i++)
        printf("deleted ?\n");
    if (status != POP3_COLLECT_OK)
        printf("says %s\n", r->error.message);
    if (r->error.status != status || (r->error.message[0] == '\0') != (status == POP3_COLLECT_OK))
        printf("broken: the report and the status differ\n");
    if (!is_printable(r->error.message))
        printf("broken: control characters in a message\n");
    if (r->delivered + r->settled != t->count)
        printf("broken: %" PRIu64 " delivered, %zu committed\n", r->delivered, t->count);
    if (t->open != 0)
        printf("broken: %zu messages have neither been committed nor aborted\n", t->open);
}

/* Every text that a notice has may be shown. */
static void check_notice(void *ctx, const pop3_visit_notice *n)
{
    (void)ctx;
    if (!is_printable(n->text))
        printf("broken: control characters in a notice\n");
}

/* NAME=VALUE, of those that a visit knows; a value may end in K or M. */
static void take_option(pop3_client_options *o, pop3_visit_options *v, const char *word)
{
    const char *value = strchr(word, '=');
    size_t len = value == NULL ? 0 : (size_t)(value - word);
    char *end;
    uint64_t n = value == NULL ? 0 : strtoull(value + 1, &end, 10);
    if (value != NULL && *end == 'M')
        n <<= 20;
    if (len == strlen("login") && strncmp(word, "login", len) == 0) {
        v->mechanism = NULL;
        v->utf8 = true;
    } else if (len == strlen("timeout") && strncmp(word, "timeout", len) == 0)
        o->timeout_ms = (int)n;
    else if (len == strlen("connect-timeout") && strncmp(word, "connect-timeout", len) == 0)
        o->connect_timeout_ms = (int)n;
    else if (len == strlen("session-timeout") && strncmp(word, "session-timeout", len) == 0)
        o->session_timeout_ms = (int)n;
    else if (len == strlen("message-octets") && strncmp(word, "message-octets", len) == 0)
        v->message_limit = n;
}

static pop3_security security_of(const char *how)
{
    if (strcmp(how, "plain") == 0)
        return POP3_SECURITY_PLAIN;
    return strcmp(how, "stls") == 0 ? POP3_SECURITY_STLS : POP3_SECURITY_TLS;
}

/* collect-client plain|tls|stls PORT CA-FILE [NAME=VALUE]... */
int main(int argc, char **argv)
{
    pop3_client_options o = POP3_CLIENT_OPTIONS_INIT;
    pop3_tls_options trust = POP3_TLS_OPTIONS_INIT;
    pop3_visit_options v = POP3_VISIT_OPTIONS_INIT;
    pop3_visit_report r = POP3_VISIT_REPORT_INIT;
    pop3_target to = POP3_TARGET_INIT;
    static target t;
    if (argc < 4)
        return 2;
    guard_install();
    o.host = "localhost";
    o.local_address = "127.0.0.1"; /* the server is not on ::1 */
    o.security = security_of(argv[1]);
    o.port = (uint16_t)strtoul(argv[2], NULL, 10);
    o.timeout_ms = o.connect_timeout_ms = 20000;
    o.allow_plaintext_password = true;
    trust.ca_file = argv[3];
    if (pop3_tls_new(&o.tls, &trust, NULL, 0) != POP3_OK)
        return 2;
    to.id = "digests";
    to.ctx = &t;
    to.begin = begin_message;
    to.write = write_message;
    to.commit = commit_messages;
    to.abort = abort_message;
    to.find = find_message;
    v.connection = &o;
    v.user = "joe";
    v.password = "secret";
    v.mechanism = "USER";
    v.memory = scratch_file("seen.db");
    v.target = &to;
    v.line_ends = POP3_LINE_ENDS_CRLF;
    v.removal = POP3_REMOVAL_DELIVERED;
    v.notice = check_notice;
    for (int i = 4; i < argc; i++)
        take_option(&o, &v, argv[i]);
    int before = guard_descriptors();
    guard_begin();
    pop3_collect_status status = pop3_visit(&v, &r);
    printf("memory %ld\n", guard_memory("VmHWM:"));
    report(&t, status, &r);
    if (!guard_end(before))
        printf("broken: a descriptor was left open, or SIGPIPE raised\n");
    while (t.count > 0)
        free_message(t.kept[--t.count]);
    pop3_tls_free(o.tls);
    scratch_remove();
    return 0;
}

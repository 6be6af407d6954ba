/* Retrieves and discards every message through the public client, as fast as the library can: what
 * the comparison with other clients measures.
 *
 *     retr_all [--sequential] [--tls] [--uidl] PORT
 *
 * Logs in at 127.0.0.1 as user "user" with the password "pass". With --tls the certificate is not
 * verified, as the servers of a benchmark have throw-away ones. --uidl asks UIDL and LIST instead.
 */
#include <pop3/pop3.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct totals {
    uint64_t messages;
    uint64_t octets;
} totals;

static pop3_sink_result discard(void *ctx, const char *data, size_t len)
{
    totals *t = ctx;
    (void)data;
    t->octets += len;
    return POP3_SINK_CONTINUE;
}

static void retrieved(void *ctx, pop3_client *c, const pop3_result *result)
{
    totals *t = ctx;
    (void)c;
    if (result->status == POP3_OK)
        t->messages++;
}

static pop3_status retrieve_all(pop3_client *c, bool sequential, totals *t)
{
    pop3_stat drop;
    pop3_status status = pop3_client_stat(c, &drop);
    if (status != POP3_OK || drop.count == 0)
        return status;
    if (sequential) {
        for (uint32_t n = 1; n <= drop.count && status == POP3_OK; n++) {
            status = pop3_client_retr(c, n, discard, t);
            t->messages += status == POP3_OK;
        }
        return status;
    }
    if (drop.count > SIZE_MAX / sizeof(uint32_t))
        return POP3_ERR_MEMORY;
    size_t count = (size_t)drop.count;
    uint32_t *numbers = calloc(count, sizeof *numbers);
    if (numbers == NULL)
        return POP3_ERR_MEMORY;
    for (size_t n = 0; n < count; n++)
        numbers[n] = (uint32_t)n + 1;
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    handlers.sink = discard;
    handlers.done = retrieved;
    handlers.ctx = t;
    status = pop3_client_retr_many(c, numbers, count, &handlers);
    free(numbers);
    return status;
}

static pop3_status list_all(pop3_client *c, totals *t)
{
    pop3_listing *uids = NULL;
    pop3_listing *sizes = NULL;
    pop3_status status = pop3_client_uidl_all(c, &uids);
    if (status == POP3_OK)
        status = pop3_client_list_all(c, &sizes);
    if (status == POP3_OK) {
        t->messages = uids->count;
        for (size_t i = 0; i < sizes->count; i++)
            t->octets += sizes->entries[i].octets;
    }
    pop3_listing_free(uids);
    pop3_listing_free(sizes);
    return status;
}

int main(int argc, char **argv)
{
    bool sequential = false;
    bool tls = false;
    bool uidl = false;
    const char *port = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--sequential") == 0)
            sequential = true;
        else if (strcmp(argv[i], "--tls") == 0)
            tls = true;
        else if (strcmp(argv[i], "--uidl") == 0)
            uidl = true;
        else
            port = argv[i];
    }
    if (port == NULL) {
        fprintf(stderr, "usage: retr_all [--sequential] [--tls] [--uidl] PORT\n");
        return EXIT_FAILURE;
    }
    pop3_client_options o = POP3_CLIENT_OPTIONS_INIT;
    o.host = "127.0.0.1";
    o.port = (uint16_t)strtoul(port, NULL, 10);
    o.security = tls ? POP3_SECURITY_TLS : POP3_SECURITY_PLAIN;
    o.allow_plaintext_password = true;
    o.engine.pipelining = sequential ? POP3_PIPELINING_OFF : POP3_PIPELINING_AUTO;
    if (tls) {
        pop3_tls_options t = POP3_TLS_OPTIONS_INIT;
        t.danger_accept_any_certificate = true;
        if (pop3_tls_new(&o.tls, &t, NULL, 0) != POP3_OK)
            return EXIT_FAILURE;
    }
    totals t = {0};
    pop3_client *c = NULL;
    pop3_status status = pop3_client_new(&c, &o);
    if (status == POP3_OK)
        status = pop3_client_connect(c);
    pop3_login_options l = POP3_LOGIN_OPTIONS_INIT;
    l.user = "user";
    l.password = "pass";
    l.mechanism = "USER"; /* as the others do */
    l.allow_plaintext = l.pipeline = true;
    if (status == POP3_OK)
        status = pop3_login(c, &l);
    if (status == POP3_OK)
        status = uidl ? list_all(c, &t) : retrieve_all(c, sequential, &t);
    if (status == POP3_OK)
        status = pop3_client_quit(c);
    if (status != POP3_OK)
        fprintf(stderr, "%s\n",
                c != NULL ? pop3_client_error(c)->message : pop3_status_name(status));
    printf("%" PRIu64 " messages, %" PRIu64 " octets\n", t.messages, t.octets);
    pop3_client_free(c);
    pop3_tls_free(o.tls);
    return status == POP3_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Code in the guides of the reference (docs/api): compiled with the examples, never run. */
#include <pop3/pop3.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

bool print_one(const char *host, const char *user, const char *password);
bool retrieve_all(pop3_client *client, pop3_sink_fn sink, pop3_done_fn done, void *ctx);
bool retrieve_bounded(pop3_client *client, uint32_t number);
bool run_loop(pop3_client *client);
bool share_trust(const char *ca_file, pop3_client **clients, const char *const *hosts,
                 size_t count);
int what_next(const pop3_error *error);
pop3_status log_in_with_token(pop3_client *client, const char *user, const char *token, size_t len);

static pop3_sink_result to_stdout(void *ctx, const char *data, size_t len)
{
    (void)ctx;
    return fwrite(data, 1, len, stdout) == len ? POP3_SINK_CONTINUE : POP3_SINK_ABORT;
}

/* [blocking] */
bool print_one(const char *host, const char *user, const char *password)
{
    pop3_client_options options = POP3_CLIENT_OPTIONS_INIT;
    pop3_login_options login = POP3_LOGIN_OPTIONS_INIT;
    pop3_client *client = NULL;
    options.host = host; /* TLS, port 995, certificate verified */
    login.user = user;
    login.password = password;
    pop3_status status = pop3_client_new(&client, &options);
    if (status != POP3_OK) {
        const char *why = pop3_client_options_problem(&options);
        fprintf(stderr, "%s\n", why != NULL ? why : pop3_status_message(status));
        return false;
    }
    if ((status = pop3_client_connect(client)) == POP3_OK &&
        (status = pop3_login(client, &login)) == POP3_OK &&
        (status = pop3_client_retr(client, 1, to_stdout, NULL)) == POP3_OK)
        status = pop3_client_quit(client);
    if (status != POP3_OK)
        fprintf(stderr, "%s\n", pop3_client_error(client)->message);
    pop3_client_free(client);
    return status == POP3_OK;
}
/* [blocking] */

/* [memory] */
bool retrieve_bounded(pop3_client *client, uint32_t number)
{
    char *message;
    size_t len;
    pop3_status status = pop3_client_retr_memory(client, number, (size_t)10 << 20, &message, &len);
    if (status == POP3_ERR_LIMIT) {
        fprintf(stderr, "message %u is larger than 10 MiB\n", (unsigned)number);
        return true; /* the connection is good */
    }
    if (status != POP3_OK)
        return false;
    fwrite(message, 1, len, stdout);
    free(message);
    return true;
}
/* [memory] */

/* [many] */
bool retrieve_all(pop3_client *client, pop3_sink_fn sink, pop3_done_fn done, void *ctx)
{
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    pop3_listing *listing;
    handlers.sink = sink; /* the octets of the messages, one after the other */
    handlers.done = done; /* how each of them ended */
    handlers.ctx = ctx;
    if (pop3_client_list_all(client, &listing) != POP3_OK)
        return false;
    uint32_t *numbers = malloc((listing->count + 1) * sizeof *numbers);
    for (size_t i = 0; numbers != NULL && i < listing->count; i++)
        numbers[i] = listing->entries[i].number;
    bool ok = numbers != NULL &&
              pop3_client_retr_many(client, numbers, listing->count, &handlers) == POP3_OK;
    free(numbers);
    pop3_listing_free(listing);
    return ok;
}
/* [many] */

/* [loop] */
bool run_loop(pop3_client *client)
{
    pop3_status status = pop3_client_start(client);
    while (status == POP3_OK && (status = pop3_client_step(client)) == POP3_PENDING) {
        pop3_waitable waits[POP3_MAX_WAITABLES];
        struct pollfd fds[POP3_MAX_WAITABLES];
        size_t count = pop3_client_waitables(client, waits, POP3_MAX_WAITABLES);
        for (size_t i = 0; i < count; i++)
            fds[i] = (struct pollfd){
                .fd = waits[i].fd,
                .events = (short)((waits[i].read ? POLLIN : 0) | (waits[i].write ? POLLOUT : 0))};
        (void)poll(fds, (nfds_t)count, pop3_client_deadline(client));
        status = POP3_OK;
    }
    return status == POP3_OK;
}
/* [loop] */

/* [trust] */
bool share_trust(const char *ca_file, pop3_client **clients, const char *const *hosts, size_t count)
{
    pop3_tls_options trust = POP3_TLS_OPTIONS_INIT;
    pop3_tls *tls;
    char why[200];
    trust.ca_file = ca_file;
    if (pop3_tls_new(&tls, &trust, why, sizeof why) != POP3_OK) {
        fprintf(stderr, "%s\n", why);
        return false;
    }
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        pop3_client_options options = POP3_CLIENT_OPTIONS_INIT;
        options.host = hosts[i];
        options.tls = tls; /* each client holds a reference */
        ok = pop3_client_new(&clients[i], &options) == POP3_OK;
    }
    pop3_tls_free(tls);
    return ok;
}
/* [trust] */

/* [errors] */
int what_next(const pop3_error *error)
{
    switch (error->status) {
    case POP3_ERR_REFUSED:
        return error->temporary ? 1 /* retry later */ : 0;
    case POP3_ERR_RESOLVE:
    case POP3_ERR_CONNECT:
    case POP3_ERR_IO:
    case POP3_ERR_TIMEOUT:
    case POP3_ERR_CLOSED:
        return 1;
    default:
        return 0; /* retrying does not help: inform the user */
    }
}
/* [errors] */

/* [token] */
typedef struct token {
    const char *text;
    size_t len;
} token;

static pop3_status give_token(void *ctx, pop3_secret_kind kind, const char *user, char *buffer,
                              size_t size, size_t *len)
{
    const token *t = ctx;
    (void)user;
    if (kind != POP3_SECRET_TOKEN)
        return POP3_ERR_NOT_OFFERED;
    if (t->len > size)
        return POP3_ERR_ARGUMENT;
    for (size_t i = 0; i < t->len; i++)
        buffer[i] = t->text[i];
    *len = t->len;
    return POP3_OK;
}

pop3_status log_in_with_token(pop3_client *client, const char *user, const char *text, size_t len)
{
    token t = {text, len};
    pop3_login_options login = POP3_LOGIN_OPTIONS_INIT;
    login.user = user;
    login.secret = give_token;
    login.secret_ctx = &t;
    return pop3_login(client, &login);
}
/* [token] */

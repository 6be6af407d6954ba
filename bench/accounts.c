/* Retrieves and discards all messages of many accounts at the same time, in one thread, through the
 * client's event-loop interface.
 *
 *     bench-accounts [--at-once N] PORT ACCOUNTS
 *
 * The accounts are user1, user2, ... at 127.0.0.1; at most --at-once (default: all) have a
 * connection at a time.
 */
#define _GNU_SOURCE
#include "common.h"

#include <pop3/pop3.h>

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An account under way. */
typedef struct account {
    pop3_client *client; /* NULL: none */
    uint64_t next;       /* the first message that has not been asked for */
    uint64_t count;      /* messages in the maildrop */
} account;

static uint64_t messages;
static uint64_t octets;
static const char *failed;

static pop3_sink_result discard(void *ctx, const char *data, size_t len)
{
    (void)ctx;
    (void)data;
    octets += len;
    return POP3_SINK_CONTINUE;
}

static void submit(account *a, pop3_client *c, pop3_command_kind kind, const char *text,
                   pop3_done_fn done)
{
    pop3_command command = POP3_COMMAND_INIT;
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    command.kind = kind;
    command.number = kind == POP3_CMD_RETR ? (uint32_t)a->next++ : 0;
    if (text != NULL)
        command.text = (pop3_str){text, strlen(text)};
    handlers.sink = discard;
    handlers.done = done;
    handlers.ctx = a;
    if (pop3_client_submit(c, &command, &handlers) != POP3_OK)
        failed = "a command was not taken";
}

static void answered(void *ctx, pop3_client *c, const pop3_result *result)
{
    (void)ctx;
    if (result->status != POP3_OK)
        failed = pop3_client_error(c)->message;
}

static void retrieved(void *ctx, pop3_client *c, const pop3_result *result)
{
    account *a = ctx;
    answered(ctx, c, result);
    messages += result->status == POP3_OK;
    if (a->next <= a->count)
        submit(a, c, POP3_CMD_RETR, NULL, retrieved);
}

/* The maildrop's size is known: asks for as much as a window or two hold, and for QUIT. */
static void counted(void *ctx, pop3_client *c, const pop3_result *result)
{
    account *a = ctx;
    answered(ctx, c, result);
    a->count = result->stat.count;
    for (a->next = 1; a->next <= a->count && a->next <= 2048;)
        submit(a, c, POP3_CMD_RETR, NULL, retrieved);
    if (a->count <= 2048)
        submit(a, c, POP3_CMD_QUIT, NULL, answered);
    else
        failed = "this program is for maildrops of up to 2,048 messages";
}

static void start(account *a, const pop3_client_options *o, size_t number)
{
    char user[32];
    snprintf(user, sizeof user, "user%zu", number);
    *a = (account){0};
    if (pop3_client_new(&a->client, o) != POP3_OK || pop3_client_start(a->client) != POP3_OK)
        die_plain("no client");
    submit(a, a->client, POP3_CMD_USER, user, answered);
    submit(a, a->client, POP3_CMD_PASS, "pass", answered);
    submit(a, a->client, POP3_CMD_STAT, NULL, counted);
}

/* Steps every account; frees those that are over. Returns how many are. */
static size_t step_all(account *all, size_t count)
{
    size_t over = 0;
    for (size_t i = 0; i < count; i++) {
        if (all[i].client == NULL || pop3_client_step(all[i].client) == POP3_PENDING)
            continue;
        pop3_client_free(all[i].client);
        all[i].client = NULL;
        over++;
    }
    return over;
}

/* Waits until some account can go on. */
static void wait_for_any(const account *all, size_t count, struct pollfd *fds)
{
    size_t n = 0;
    int deadline = -1;
    for (size_t i = 0; i < count; i++) {
        pop3_waitable waits[POP3_MAX_WAITABLES];
        if (all[i].client == NULL)
            continue;
        size_t have = pop3_client_waitables(all[i].client, waits, POP3_MAX_WAITABLES);
        for (size_t k = 0; k < have; k++) {
            int events = (waits[k].read ? POLLIN : 0) | (waits[k].write ? POLLOUT : 0);
            fds[n++] = (struct pollfd){.fd = waits[k].fd, .events = (short)events};
        }
        int d = pop3_client_deadline(all[i].client);
        if (d >= 0 && (deadline < 0 || d < deadline))
            deadline = d;
    }
    (void)poll(fds, n, deadline);
}

int main(int argc, char **argv)
{
    size_t at_once = SIZE_MAX;
    if (argc == 5 && strcmp(argv[1], "--at-once") == 0)
        at_once = number_or_die(argv[2], 100000);
    else if (argc != 3)
        die_plain("[--at-once N] PORT ACCOUNTS");
    size_t accounts = number_or_die(argv[argc - 1], 100000);
    at_once = at_once < accounts ? at_once : accounts;
    pop3_client_options o = POP3_CLIENT_OPTIONS_INIT;
    o.host = "127.0.0.1";
    o.port = (uint16_t)number_or_die(argv[argc - 2], UINT16_MAX);
    o.security = POP3_SECURITY_PLAIN;
    o.allow_plaintext_password = true;
    o.engine.pipelining = POP3_PIPELINING_AUTO;
    allow_many_descriptors();
    account *all = calloc(at_once + 1, sizeof *all);
    struct pollfd *fds = calloc(at_once + 1, POP3_MAX_WAITABLES * sizeof *fds);
    if (all == NULL || fds == NULL)
        die("accounts");
    size_t started = 0;
    size_t over = 0;
    while (over < accounts) {
        for (size_t i = 0; i < at_once && started < accounts; i++) {
            if (all[i].client == NULL)
                start(&all[i], &o, ++started);
        }
        size_t ended = step_all(all, at_once);
        over += ended;
        if (ended == 0)
            wait_for_any(all, at_once, fds);
    }
    free(all);
    free(fds);
    if (failed != NULL)
        die_plain(failed);
    printf("%" PRIu64 " messages, %" PRIu64 " octets\n", messages, octets);
    return EXIT_SUCCESS;
}

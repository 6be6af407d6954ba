/* Retrieves a mailbox over 50 connections at once, in one thread with poll(2), as in an application
 * with its own event loop. Only poll() blocks.
 *
 *     event_loop [--connections N] [--tls | --stls] [--ca-file FILE] [--cert FILE] [--key FILE]
 *         [--auth MECHANISM] [--token-file FILE] [--timeout SECONDS] HOST PORT USER */
#include "account.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

/* One connection and its progress. */
typedef struct fetch {
    pop3_client *client;
    uint32_t *numbers; /* of the listed messages */
    size_t listed;
    size_t room;
    size_t asked; /* number of RETRs submitted */
    uint64_t messages;
    uint64_t octets;
    bool over;
    bool failed;
} fetch;

/* RETRs that are queued before the first one is answered. */
#define AHEAD 100

static bool ask_for_next(fetch *f);

static pop3_sink_result count_octets(void *ctx, const char *data, size_t len)
{
    fetch *f = ctx;
    (void)data;
    f->octets += len;
    return POP3_SINK_CONTINUE;
}

static void answered(void *ctx, pop3_client *c, const pop3_result *result)
{
    fetch *f = ctx;
    (void)c;
    if (result->status != POP3_OK)
        f->failed = true;
}

static void retrieved(void *ctx, pop3_client *c, const pop3_result *result)
{
    fetch *f = ctx;
    answered(ctx, c, result);
    if (result->status == POP3_OK)
        f->messages++;
    if (f->asked < f->listed && !ask_for_next(f))
        f->failed = true;
}

static bool queue(fetch *f, pop3_command_kind kind, uint32_t number, pop3_done_fn done)
{
    pop3_command command = POP3_COMMAND_INIT;
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    command.kind = kind;
    command.number = number;
    handlers.sink = count_octets;
    handlers.done = done;
    handlers.ctx = f;
    return pop3_client_submit(f->client, &command, &handlers) == POP3_OK;
}

/* Queues the next RETR, and QUIT after the last one. */
static bool ask_for_next(fetch *f)
{
    if (f->asked < f->listed && !queue(f, POP3_CMD_RETR, f->numbers[f->asked++], retrieved))
        return false;
    return f->asked < f->listed || queue(f, POP3_CMD_QUIT, 0, answered);
}

static bool take_number(void *ctx, const pop3_entry *entry, pop3_str line)
{
    fetch *f = ctx;
    (void)line;
    if (f->listed == f->room) {
        size_t room = f->room * 2 + 64;
        uint32_t *grown = realloc(f->numbers, room * sizeof *grown);
        if (grown == NULL)
            return false;
        f->numbers = grown;
        f->room = room;
    }
    f->numbers[f->listed++] = entry->number;
    return true;
}

/* The listing is complete: requests the first messages. Memory is allocated for listed messages,
 * not by the count in STAT, which can be any number. */
static void listed(void *ctx, pop3_client *c, const pop3_result *result)
{
    fetch *f = ctx;
    answered(ctx, c, result);
    for (int i = 0; i < AHEAD && (i == 0 || f->asked < f->listed); i++) {
        if (!ask_for_next(f)) {
            f->failed = true;
            break;
        }
    }
}

/* Starts a connection and queues the first commands; their answers queue the next ones. */
static bool begin(fetch *f, const account *a)
{
    pop3_command list = POP3_COMMAND_INIT;
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    list.kind = POP3_CMD_LIST;
    handlers.ctx = f;
    handlers.done = answered;
    if (pop3_client_new(&f->client, &a->options) != POP3_OK ||
        pop3_client_start(f->client) != POP3_OK ||
        pop3_login_start(f->client, &a->login, &handlers) != POP3_OK)
        return false;
    handlers.entry = take_number;
    handlers.done = listed;
    return pop3_client_submit(f->client, &list, &handlers) == POP3_OK;
}

/* Steps a connection. */
static void step(fetch *f)
{
    pop3_status status = pop3_client_step(f->client);
    if (status == POP3_PENDING)
        return;
    f->over = true;
    f->failed = f->failed || status != POP3_OK;
    if (f->failed)
        account_complain(f->client);
}

/* Waits until one of the connections must be stepped. */
static void wait_for_any(const fetch *fetches, size_t count, struct pollfd *fds)
{
    size_t n = 0;
    int timeout = -1;
    for (size_t i = 0; i < count; i++) {
        pop3_waitable waits[POP3_MAX_WAITABLES];
        if (fetches[i].over)
            continue;
        size_t found = pop3_client_waitables(fetches[i].client, waits, POP3_MAX_WAITABLES);
        for (size_t k = 0; k < found; k++) {
            int events = (waits[k].read ? POLLIN : 0) | (waits[k].write ? POLLOUT : 0);
            fds[n++] = (struct pollfd){.fd = waits[k].fd, .events = (short)events};
        }
        int deadline = pop3_client_deadline(fetches[i].client);
        if (deadline >= 0 && (timeout < 0 || deadline < timeout))
            timeout = deadline;
    }
    poll(fds, (nfds_t)n, timeout);
}

static bool run(fetch *fetches, size_t count, const account *a)
{
    size_t open = count;
    uint64_t messages = 0;
    uint64_t octets = 0;
    bool ok = true;
    struct pollfd *fds = calloc(count * POP3_MAX_WAITABLES, sizeof *fds);
    if (fds == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!begin(&fetches[i], a)) {
            fprintf(stderr, "connection %zu could not be started\n", i + 1);
            fetches[i].over = fetches[i].failed = true;
            open--;
        }
    }
    while (open > 0) {
        open = 0;
        for (size_t i = 0; i < count; i++) {
            if (!fetches[i].over)
                step(&fetches[i]);
            if (!fetches[i].over)
                open++;
        }
        if (open > 0)
            wait_for_any(fetches, count, fds);
    }
    for (size_t i = 0; i < count; i++) {
        messages += fetches[i].messages;
        octets += fetches[i].octets;
        ok = ok && !fetches[i].failed;
        pop3_client_free(fetches[i].client);
        free(fetches[i].numbers);
    }
    printf("%zu connections, %" PRIu64 " messages, %" PRIu64 " octets\n", count, messages, octets);
    free(fds);
    return ok;
}

int main(int argc, char **argv)
{
    account a;
    size_t count = 50;
    if (!account_connections(&count, &argc, &argv))
        return EXIT_FAILURE;
    fetch *fetches = calloc(count, sizeof *fetches);
    bool ok = fetches != NULL && account_read(&a, argc, argv) && run(fetches, count, &a);
    if (fetches != NULL)
        account_forget(&a);
    free(fetches);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

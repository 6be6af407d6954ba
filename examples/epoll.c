/* Counts the messages in the mailboxes of many accounts, in one thread with epoll(7): the client
 * reports descriptors before it uses them and before it closes them.
 *
 *     epoll [--connections N] [--tls | --stls] [--ca-file FILE] [--cert FILE] [--key FILE]
 *         [--auth MECHANISM] [--token-file FILE] [--timeout SECONDS] HOST PORT USER */
#include "account.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

/* One connection. */
typedef struct question {
    pop3_client *client;
    int epoll;
    bool has_step; /* it must be stepped */
    pop3_stat drop;
    int known[POP3_MAX_WAITABLES]; /* descriptors in the loop */
    size_t known_count;
} question;

/* A pop3_socket_fn. */
static void wait_on(void *ctx, pop3_client *c, int fd, bool read, bool write)
{
    question *q = ctx;
    struct epoll_event e = {.events = (read ? EPOLLIN : 0u) | (write ? EPOLLOUT : 0u)};
    size_t i = 0;
    (void)c;
    e.data.ptr = q;
    while (i < q->known_count && q->known[i] != fd)
        i++;
    if (!read && !write) {
        epoll_ctl(q->epoll, EPOLL_CTL_DEL, fd, NULL);
        q->known[i] = q->known[--q->known_count];
    } else if (i < q->known_count) {
        epoll_ctl(q->epoll, EPOLL_CTL_MOD, fd, &e);
    } else if (epoll_ctl(q->epoll, EPOLL_CTL_ADD, fd, &e) == 0) {
        q->known[q->known_count++] = fd;
    }
}

static void counted(void *ctx, pop3_client *c, const pop3_result *result)
{
    question *q = ctx;
    (void)c;
    if (result->status == POP3_OK)
        q->drop = result->stat;
}

static bool submit(question *q, pop3_command_kind kind, pop3_done_fn done)
{
    pop3_command command = POP3_COMMAND_INIT;
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    command.kind = kind;
    handlers.done = done;
    handlers.ctx = q;
    return pop3_client_submit(q->client, &command, &handlers) == POP3_OK;
}

/* Begins a session and queues all of it: login, STAT, QUIT. */
static bool begin(question *q, const account *a)
{
    pop3_client_options o = a->options;
    o.socket = wait_on;
    o.socket_ctx = q;
    return pop3_client_new(&q->client, &o) == POP3_OK && pop3_client_start(q->client) == POP3_OK &&
           pop3_login_start(q->client, &a->login, NULL) == POP3_OK &&
           submit(q, POP3_CMD_STAT, counted) && submit(q, POP3_CMD_QUIT, NULL);
}

/* Steps one; when its session has ended, frees the client. Returns false if it failed. */
static bool step(question *q, size_t *open)
{
    pop3_status status = pop3_client_step(q->client);
    if (status == POP3_PENDING)
        return true;
    if (status != POP3_OK)
        account_complain(q->client);
    pop3_client_free(q->client);
    q->client = NULL;
    (*open)--;
    return status == POP3_OK;
}

/* Waits until one of them must be stepped, and marks it. */
static void wait_for_any(question *questions, size_t count, int epoll)
{
    struct epoll_event ready[64];
    int timeout = -1;
    for (size_t i = 0; i < count; i++) {
        int ms = questions[i].client == NULL ? -1 : pop3_client_deadline(questions[i].client);
        if (ms >= 0 && (timeout < 0 || ms < timeout))
            timeout = ms;
    }
    int found = epoll_wait(epoll, ready, 64, timeout);
    for (int i = 0; i < found; i++)
        ((question *)ready[i].data.ptr)->has_step = true;
    for (size_t i = 0; i < count; i++) {
        question *q = &questions[i];
        q->has_step = q->has_step || (q->client != NULL && pop3_client_deadline(q->client) == 0);
    }
}

static bool run(question *questions, size_t count, const account *a)
{
    size_t open = 0;
    uint64_t messages = 0;
    bool ok = true;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < count; i++) {
        questions[i].epoll = epoll;
        if (begin(&questions[i], a)) {
            open++;
            continue;
        }
        fprintf(stderr, "connection %zu could not be started\n", i + 1);
        pop3_client_free(questions[i].client);
        questions[i].client = NULL;
        ok = false;
    }
    while (open > 0) {
        wait_for_any(questions, count, epoll);
        for (size_t i = 0; i < count; i++) {
            if (questions[i].has_step && questions[i].client != NULL)
                ok = step(&questions[i], &open) && ok;
            questions[i].has_step = false;
        }
    }
    for (size_t i = 0; i < count; i++)
        messages += questions[i].drop.count;
    printf("%zu connections, %" PRIu64 " messages\n", count, messages);
    close(epoll);
    return ok;
}

int main(int argc, char **argv)
{
    account a;
    size_t count = 50;
    if (!account_connections(&count, &argc, &argv))
        return EXIT_FAILURE;
    question *questions = calloc(count, sizeof *questions);
    bool ok = questions != NULL && account_read(&a, argc, argv) && run(questions, count, &a);
    if (questions != NULL)
        account_forget(&a);
    free(questions);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

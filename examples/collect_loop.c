/* Collects the mail of many users of one server, each into a separate Maildir, in one thread with
 * epoll(7): each visit reports the descriptors to wait on.
 *
 *     collect_loop HOST PORT CA_FILE DIRECTORY USER... <PASSWORD_FILE
 *
 * All users have the same password; DIRECTORY gets USER/ for each, and the memory file. */
#include <pop3/collect.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

/* A visit of one user. */
typedef struct collection {
    pop3_open_visit *visit; /* NULL when it has ended */
    pop3_client_options server;
    pop3_visit_options options;
    char maildir[4096];
    int epoll;
    bool ready; /* it must be stepped */
} collection;

/* A pop3_socket_fn: called before a descriptor is first waited on, and before it is closed. */
static void wait_on(void *ctx, pop3_client *client, int fd, bool read, bool write)
{
    collection *c = ctx;
    struct epoll_event e = {.events = (read ? EPOLLIN : 0U) | (write ? EPOLLOUT : 0U)};
    (void)client; /* NULL: a visit can have several sessions */
    e.data.ptr = c;
    if (!read && !write)
        (void)epoll_ctl(c->epoll, EPOLL_CTL_DEL, fd, NULL);
    else if (epoll_ctl(c->epoll, EPOLL_CTL_MOD, fd, &e) != 0) /* a new descriptor */
        (void)epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &e);
}

static bool end(collection *c)
{
    pop3_visit_report report = POP3_VISIT_REPORT_INIT;
    bool ok = pop3_visit_end(c->visit, &report) == POP3_COLLECT_OK;
    c->visit = NULL;
    printf("%s: %" PRIu64 " new messages\n", c->options.user, report.delivered);
    if (!ok)
        fprintf(stderr, "%s: %s\n", c->options.user, report.error.message);
    return ok;
}

static bool begin(collection *c, const pop3_client_options *server, const char *directory,
                  const char *memory)
{
    pop3_visit_report report = POP3_VISIT_REPORT_INIT;
    snprintf(c->maildir, sizeof c->maildir, "%s/%s", directory, c->options.user);
    c->server = *server;
    c->server.socket = wait_on;
    c->server.socket_ctx = c;
    c->options.connection = &c->server;
    c->options.memory = memory;
    c->options.maildir = c->maildir;
    c->ready = true;
    if (pop3_visit_begin(&c->visit, &c->options, &report) == POP3_COLLECT_OK)
        return true;
    fprintf(stderr, "%s: %s\n", c->options.user, report.error.message);
    return false;
}

/* Waits until something is ready, and marks its visit. */
static void wait_for_any(collection *all, size_t count, int epoll)
{
    struct epoll_event events[64];
    int timeout = -1;
    for (size_t i = 0; i < count; i++) {
        int ms = all[i].visit == NULL ? -1 : pop3_visit_deadline(all[i].visit);
        if (ms >= 0 && (timeout < 0 || ms < timeout))
            timeout = ms;
    }
    int found = epoll_wait(epoll, events, 64, timeout);
    for (int i = 0; i < found; i++)
        ((collection *)events[i].data.ptr)->ready = true;
    for (size_t i = 0; i < count; i++)
        all[i].ready =
            all[i].visit != NULL && (all[i].ready || pop3_visit_deadline(all[i].visit) == 0);
}

static bool run(collection *all, size_t count, size_t open, int epoll)
{
    bool ok = open == count;
    while (open > 0) {
        wait_for_any(all, count, epoll);
        for (size_t i = 0; i < count; i++) {
            if (!all[i].ready)
                continue;
            all[i].ready = false;
            if (!pop3_visit_step(all[i].visit)) {
                ok = end(&all[i]) && ok;
                open--;
            }
        }
    }
    return ok;
}

int main(int argc, char **argv)
{
    static char memory[4096], password[1024], why[256];
    const pop3_visit_options initial = POP3_VISIT_OPTIONS_INIT;
    pop3_tls_options trust = POP3_TLS_OPTIONS_INIT;
    pop3_client_options server = POP3_CLIENT_OPTIONS_INIT;
    size_t count = argc > 5 ? (size_t)argc - 5 : 0, open = 0;
    if (count == 0 || fgets(password, sizeof password, stdin) == NULL)
        return fprintf(stderr, "HOST PORT CA_FILE DIRECTORY USER... <PASSWORD_FILE\n"), 2;
    password[strcspn(password, "\n")] = '\0';
    snprintf(memory, sizeof memory, "%s/seen", argv[4]);
    trust.ca_file = argv[3];
    server.host = argv[1];
    server.port = (uint16_t)atoi(argv[2]);
    if (pop3_tls_new(&server.tls, &trust, why, sizeof why) != POP3_OK)
        return fprintf(stderr, "%s\n", why), 1;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    collection *all = epoll >= 0 ? calloc(count, sizeof *all) : NULL;
    for (size_t i = 0; all != NULL && i < count; i++) {
        all[i].epoll = epoll;
        all[i].options = initial;
        all[i].options.user = argv[5 + i];
        all[i].options.password = password;
        open += begin(&all[i], &server, argv[4], memory);
    }
    bool ok = all != NULL && run(all, count, open, epoll);
    free(all);
    if (epoll >= 0)
        close(epoll);
    pop3_tls_free(server.tls);
    return ok ? 0 : 1;
}

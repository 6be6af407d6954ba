/* A POP3 server for tests: starts, listens, runs a thread for each connection, and leaves nothing
 * behind. See README.md. */
#define _GNU_SOURCE /* accept4() */
#include "listen.h"
#include "server.h"
#include "session.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    EXIT_USAGE = 2,
    EXIT_UNMET = 3,
    /* Our parent's death comes as a signal of its own: the kernel sends it also when only the
     * thread that started us has ended, and then we must go on. */
    SIGNAL_PARENT_DIED = SIGUSR1,
};

/* A connection and its thread. */
struct worker {
    struct worker *next; /* in `finished` */
    struct hub *hub;
    struct conn *conn;
    bool implicit_tls;
    bool met; /* all that its script expected */
    pthread_t thread;
};

/* What the main thread keeps; workers touch `finished` alone. */
struct hub {
    struct server server;
    pid_t parent;
    int signal_fd;
    int finished_fd; /* an event for each finished worker */
    int plain_fd;    /* listening; -1: not */
    int tls_fd;
    unsigned port;
    unsigned tls_port;
    uint64_t accepted;
    uint64_t over;
    uint64_t running;
    bool unmet;     /* by some script */
    unsigned marks; /* lines in the transcript that were asked for */
    bool full;      /* no descriptors are left: accept again when a connection is over */
    pthread_mutex_t lock;
    struct worker *finished;
};

/* ---- connections ---- */

static void serve(struct worker *w)
{
    struct server *server = &w->hub->server;
    w->met = true;
    if (w->implicit_tls && conn_start_tls(w->conn, server->tls) != IO_OK) {
        w->met = server->n_scripts == 0;
        return;
    }
    if (server->n_scripts > 0) {
        size_t i = w->conn->number - 1;
        w->met = script_run(server->scripts[i < server->n_scripts ? i : server->n_scripts - 1],
                            server, w->conn);
    } else {
        (void)session_run(server, w->conn, START_GREETING, NULL);
    }
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct hub *hub = w->hub;
    uint64_t one = 1;
    serve(w);
    conn_free(w->conn);
    w->conn = NULL;
    (void)pthread_mutex_lock(&hub->lock);
    w->next = hub->finished;
    hub->finished = w;
    (void)pthread_mutex_unlock(&hub->lock);
    if (write(hub->finished_fd, &one, sizeof one) != (ssize_t)sizeof one) {
        perror("pop3-testserver: eventfd"); /* cannot be: the counter never gets that far */
    }
    return NULL;
}

static void start_worker(struct hub *hub, int fd, bool implicit_tls)
{
    const struct options *o = &hub->server.options;
    struct worker *w = calloc(1, sizeof *w);
    struct conn *c = conn_new(fd, hub->server.stop_fd, (unsigned)++hub->accepted, hub->server.log);
    int error = ENOMEM;
    if (w == NULL || c == NULL) {
        goto fail;
    }
    c->log_reads = o->log_reads;
    c->no_close_notify = o->no_close_notify;
    c->split = o->split;
    c->limit = o->limit;
    c->limit_resets = o->limit_resets;
    w->hub = hub;
    w->conn = c;
    w->implicit_tls = implicit_tls;
    error = pthread_create(&w->thread, NULL, work, w);
    if (error == 0) {
        hub->running++;
        return;
    }
fail:
    (void)fprintf(stderr, "pop3-testserver: starting a session: %s\n", strerror(error));
    hub->over++;
    hub->unmet = true;
    if (c != NULL) {
        conn_free(c);
    } else {
        (void)close(fd);
    }
    free(w);
}

static void collect_finished(struct hub *hub)
{
    uint64_t count;
    if (read(hub->finished_fd, &count, sizeof count) < 0) {
        return; /* no event yet */
    }
    (void)pthread_mutex_lock(&hub->lock);
    struct worker *w = hub->finished;
    hub->finished = NULL;
    (void)pthread_mutex_unlock(&hub->lock);
    while (w != NULL) {
        struct worker *next = w->next;
        (void)pthread_join(w->thread, NULL);
        hub->unmet = hub->unmet || !w->met;
        hub->running--;
        hub->over++;
        hub->full = false;
        free(w);
        w = next;
    }
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
}

static bool all_accepted(const struct hub *hub)
{
    uint64_t max = hub->server.options.max_sessions;
    return max > 0 && hub->accepted >= max;
}

static void accept_from(struct hub *hub, int fd, bool implicit_tls)
{
    if (fd < 0 || all_accepted(hub)) {
        return;
    }
    int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (client >= 0) {
        start_worker(hub, client, implicit_tls);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
        hub->full = hub->running > 0;
        perror("pop3-testserver: accept");
    } /* else the client has gone already */
}

/* True when it is time to stop. SIGUSR2 asks for a line in the transcript: how many sessions were
 * accepted, when nobody waits to be any more. */
static bool stop_signal(struct hub *hub)
{
    struct signalfd_siginfo info;
    if (read(hub->signal_fd, &info, sizeof info) != (ssize_t)sizeof info) {
        return false;
    }
    if (info.ssi_signo == (uint32_t)SIGUSR2) {
        hub->marks++;
        return false;
    }
    return info.ssi_signo != (uint32_t)SIGNAL_PARENT_DIED || getppid() != hub->parent;
}

static bool loop(struct hub *hub)
{
    for (;;) {
        if (all_accepted(hub)) {
            close_fd(&hub->plain_fd); /* so that nobody waits in vain to be accepted */
            close_fd(&hub->tls_fd);
            if (hub->running == 0) {
                return true;
            }
        }
        struct pollfd fds[] = {
            {.fd = hub->signal_fd, .events = POLLIN},
            {.fd = hub->finished_fd, .events = POLLIN},
            {.fd = hub->full ? -1 : hub->plain_fd, .events = POLLIN},
            {.fd = hub->full ? -1 : hub->tls_fd, .events = POLLIN},
        };
        if (poll(fds, sizeof fds / sizeof *fds, hub->marks > 0 ? 0 : -1) < 0) {
            if (errno == EINTR) {
                continue;
            }
            perror("pop3-testserver: poll");
            return false;
        }
        if (fds[0].revents != 0 && stop_signal(hub)) {
            return true;
        }
        collect_finished(hub);
        if (fds[2].revents != 0) {
            accept_from(hub, hub->plain_fd, false);
        }
        if (fds[3].revents != 0) {
            accept_from(hub, hub->tls_fd, true);
        }
        for (; hub->marks > 0 && fds[2].revents == 0 && fds[3].revents == 0; hub->marks--) {
            log_event(hub->server.log, 0, "mark");
        }
    }
}

/* ---- start and end ---- */

static bool start_signals(struct hub *hub)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    (void)sigaddset(&set, SIGUSR2);
    (void)sigaddset(&set, SIGNAL_PARENT_DIED);
    int error = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (error != 0) {
        errno = error;
        return false;
    }
    (void)signal(SIGPIPE, SIG_IGN); /* OpenSSL writes without MSG_NOSIGNAL */
    hub->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    hub->finished_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    hub->server.stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return hub->signal_fd >= 0 && hub->finished_fd >= 0 && hub->server.stop_fd >= 0 &&
           prctl(PR_SET_PDEATHSIG, SIGNAL_PARENT_DIED) == 0;
}

static bool read_scripts(struct server *server)
{
    const struct options *o = &server->options;
    if (o->scripts.n == 0) {
        return true;
    }
    server->scripts = calloc(o->scripts.n, sizeof *server->scripts);
    if (server->scripts == NULL) {
        perror("pop3-testserver");
        return false;
    }
    for (; server->n_scripts < o->scripts.n; server->n_scripts++) {
        struct script *script =
            script_read(o->scripts.v[server->n_scripts], &o->tls_settings, o->mail != NULL);
        if (script == NULL) {
            return false;
        }
        server->scripts[server->n_scripts] = script;
    }
    return true;
}

/* Everything that can be refused before listening: an exit status, 0 when all is well. */
static int prepare(struct server *server)
{
    const struct options *o = &server->options;
    if (o->mail != NULL && access(o->mail, R_OK | X_OK) != 0) {
        (void)fprintf(stderr, "pop3-testserver: %s: %s\n", o->mail, strerror(errno));
        return EXIT_USAGE;
    }
    if (o->tls_settings.cert != NULL) {
        char why[256];
        server->tls = tls_context_new(&o->tls_settings, why, sizeof why);
        if (server->tls == NULL) {
            (void)fprintf(stderr, "pop3-testserver: %s\n", why);
            return EXIT_USAGE;
        }
    }
    if (!read_scripts(server)) {
        return EXIT_USAGE;
    }
    if (o->log != NULL) {
        server->log = log_open(o->log);
        if (server->log == NULL) {
            (void)fprintf(stderr, "pop3-testserver: %s: %s\n", o->log, strerror(errno));
            return EXIT_USAGE;
        }
    }
    return EXIT_SUCCESS;
}

static int run(struct hub *hub)
{
    const struct options *o = &hub->server.options;
    hub->port = o->port;
    hub->plain_fd = listen_at(o->bind, &hub->port);
    if (hub->plain_fd < 0) {
        return EXIT_FAILURE;
    }
    if (o->tls) {
        hub->tls_port = o->tls_port;
        hub->tls_fd = listen_at(o->bind, &hub->tls_port);
        if (hub->tls_fd < 0) {
            return EXIT_FAILURE;
        }
    }
    if (printf("ready port=%u tls-port=%u pid=%ld\n", hub->port, hub->tls_port, (long)getpid()) <
            0 ||
        fflush(stdout) != 0) {
        perror("pop3-testserver: standard output");
        return EXIT_FAILURE;
    }
    /* The parent may have died before prctl(). */
    bool ok = getppid() != hub->parent || loop(hub);
    uint64_t one = 1;
    if (write(hub->server.stop_fd, &one, sizeof one) != (ssize_t)sizeof one) {
        perror("pop3-testserver: eventfd");
        return EXIT_FAILURE;
    }
    while (hub->running > 0) {
        struct pollfd fd = {.fd = hub->finished_fd, .events = POLLIN};
        if (poll(&fd, 1, -1) < 0 && errno != EINTR) {
            perror("pop3-testserver: poll");
            return EXIT_FAILURE;
        }
        collect_finished(hub);
    }
    bool judged = hub->server.n_scripts > 0 && o->max_sessions > 0;
    if (judged && (hub->unmet || hub->over < o->max_sessions)) {
        return EXIT_UNMET;
    }
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    struct hub hub = {.parent = getppid(),
                      .signal_fd = -1,
                      .finished_fd = -1,
                      .plain_fd = -1,
                      .tls_fd = -1,
                      .lock = PTHREAD_MUTEX_INITIALIZER,
                      .server = {.stop_fd = -1}};
    struct server *server = &hub.server;
    int status = EXIT_FAILURE;
    bool have_memory = false;
    enum parsed parsed = options_parse(&server->options, argc, argv);
    if (parsed != PARSED_RUN) {
        status = parsed == PARSED_HELP ? EXIT_SUCCESS : EXIT_USAGE;
        goto out;
    }
    have_memory = memory_init(&server->memory);
    if (!have_memory || !start_signals(&hub)) {
        perror("pop3-testserver");
        goto out;
    }
    status = prepare(server);
    if (status == EXIT_SUCCESS) {
        status = run(&hub);
    }
out:
    close_fd(&hub.plain_fd);
    close_fd(&hub.tls_fd);
    close_fd(&hub.signal_fd);
    close_fd(&hub.finished_fd);
    close_fd(&server->stop_fd);
    for (size_t i = 0; i < server->n_scripts; i++) {
        script_free(server->scripts[i]);
    }
    free(server->scripts);
    tls_context_free(server->tls);
    if (have_memory) {
        memory_free(&server->memory);
    }
    if (!log_close(server->log)) {
        (void)fprintf(stderr, "pop3-testserver: %s: not all could be written\n",
                      server->options.log);
        status = status == EXIT_SUCCESS ? EXIT_FAILURE : status;
    }
    options_free(&server->options);
    return status;
}

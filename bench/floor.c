/* The least that a client can do, as the measure of those that do more: it sends every command at
 * once without waiting for a greeting, and reads until the server closes.
 *
 *     bench-floor [--tls] [--accounts N] [--at-once N] [--deliver DIR [--batch N]] PORT MESSAGES
 *     bench-floor --sequential [--awake] [--tls] PORT MESSAGES
 *
 * Without --deliver the octets are counted and thrown away. With --deliver each message is written
 * to a file of its own in DIR/tmp, stuffed as it came; after each batch (default 1,000 messages)
 * one syncfs(2), the renames into DIR/new and one fsync(2) of that folder: as durable as an fsync a
 * message, for the fewest waits. --accounts runs that many sessions as user1, user2, ..., at most
 * --at-once (default: all) at a time; only without --tls and --deliver. --sequential sends a
 * command when the reply to the last is there: a send(2), and recv(2) on a blocking socket. With
 * --awake it never sleeps but calls recv(2) until something has arrived, which is faster as long
 * as a server answers sooner than a process wakes up.
 *
 * This is a yardstick and no client: it parses nothing but the ends of messages and verifies
 * nothing.
 */
#define _GNU_SOURCE
#include "common.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER ((size_t)128 * 1024) /* 64 KiB to 1 MiB were tried: this is the fastest */

/* Files being delivered. */
typedef struct delivery {
    const char *dir; /* NULL: throw away */
    int folder;      /* DIR/new */
    size_t batch;
    size_t messages;      /* that are to come */
    size_t lines_to_skip; /* before the first of them */
    size_t first, next;   /* files written and not renamed: first up to next */
    int fd;               /* of the file being written, -1 between messages */
    char tail[4];         /* the last octets of the message so far, for an end cut in two */
    size_t tail_len;
} delivery;

static char buffer[BUFFER];

/* All commands of a session. */
static char *commands(const char *user, size_t messages, size_t *len)
{
    char *text = NULL;
    FILE *f = open_memstream(&text, len);
    if (f == NULL)
        die("commands");
    fprintf(f, "USER %s\r\nPASS pass\r\nSTAT\r\n", user);
    for (size_t i = 1; i <= messages; i++)
        fprintf(f, "RETR %zu\r\n", i);
    fputs("QUIT\r\n", f);
    if (fclose(f) != 0)
        die("commands");
    return text;
}

static void path_of(char *path, const delivery *d, const char *folder, size_t number)
{
    snprintf(path, PATH_MAX, "%s/%s/%zu", d->dir, folder, number);
}

static void end_batch(delivery *d)
{
    char from[PATH_MAX];
    char to[PATH_MAX];
    if (d->first == d->next)
        return;
    if (syncfs(d->folder) != 0)
        die("syncfs");
    for (; d->first < d->next; d->first++) {
        path_of(from, d, "tmp", d->first);
        path_of(to, d, "new", d->first);
        if (rename(from, to) != 0)
            die(from);
    }
    if (fsync(d->folder) != 0)
        die("fsync");
}

static void write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0)
            die("writing a message");
        data += n;
        len -= (size_t)n;
    }
}

/* The message that began before `data` ends where CRLF . CRLF does. Returns how many octets of data
 * belong to it; *ended says whether the end is among them. */
static size_t message_part(delivery *d, const char *data, size_t len, bool *ended)
{
    static const char end[] = "\r\n.\r\n";
    char joint[8];
    size_t head = len < 4 ? len : 4;
    memcpy(joint, d->tail, d->tail_len);
    memcpy(joint + d->tail_len, data, head);
    const char *hit = memmem(joint, d->tail_len + head, end, 5);
    *ended = true;
    if (hit != NULL)
        return (size_t)(hit - joint) + 5 - d->tail_len;
    hit = memmem(data, len, end, 5);
    if (hit != NULL)
        return (size_t)(hit - data) + 5;
    *ended = false;
    size_t all = d->tail_len + head;
    size_t keep = all < 4 ? all : 4;
    memcpy(d->tail, len >= 4 ? data + len - 4 : joint + all - keep, keep);
    d->tail_len = keep;
    return len;
}

static void open_next(delivery *d)
{
    char path[PATH_MAX];
    path_of(path, d, "tmp", d->next);
    d->fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (d->fd < 0)
        die(path);
    d->tail_len = 0;
}

/* Cuts what lies between the first replies and that to QUIT into files. */
static void deliver(delivery *d, const char *data, size_t len)
{
    while (len > 0 && d->lines_to_skip > 0) {
        const char *lf = memchr(data, '\n', len);
        if (lf == NULL)
            return;
        len -= (size_t)(lf + 1 - data);
        data = lf + 1;
        d->lines_to_skip--;
    }
    while (len > 0 && d->next < d->messages) {
        bool ended;
        if (d->fd < 0)
            open_next(d);
        size_t part = message_part(d, data, len, &ended);
        write_all(d->fd, data, part);
        data += part;
        len -= part;
        if (!ended)
            continue;
        close(d->fd);
        d->fd = -1;
        if (++d->next - d->first == d->batch)
            end_batch(d);
    }
}

static void begin_delivery(delivery *d, size_t messages)
{
    char path[PATH_MAX];
    static const char *const folders[] = {"", "/tmp", "/new"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", d->dir, folders[i]);
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            die(path);
    }
    d->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d->folder < 0)
        die(path);
    d->messages = messages;
    d->lines_to_skip = 4; /* the greeting, and the replies to USER, PASS and STAT */
    d->fd = -1;
}

/* One of the sessions that run at once. */
typedef struct session {
    int fd; /* -1: none */
    char *out;
    size_t out_len, sent;
} session;

static void start(session *s, uint16_t port, const char *user, size_t messages)
{
    *s = (session){.fd = connect_to(port, 1)};
    s->out = commands(user, messages, &s->out_len);
}

static void send_some(session *s)
{
    ssize_t n = write(s->fd, s->out + s->sent, s->out_len - s->sent);
    if (n < 0 && errno != EAGAIN)
        die("sending");
    s->sent += n > 0 ? (size_t)n : 0;
}

/* Receives once. False at the end of the session. */
static bool receive_some(session *s, delivery *d, uint64_t *octets)
{
    ssize_t n = read(s->fd, buffer, sizeof buffer);
    if (n < 0 && errno == EAGAIN)
        return true;
    if (n < 0)
        die("receiving");
    *octets += (uint64_t)n;
    if (n > 0 && d->dir != NULL)
        deliver(d, buffer, (size_t)n);
    if (n > 0)
        return true;
    close(s->fd);
    free(s->out);
    s->fd = -1;
    return false;
}

/* All sessions in the clear, some of them at once. */
static uint64_t run_plain(uint16_t port, size_t accounts, size_t at_once, size_t messages,
                          delivery *d)
{
    uint64_t octets = 0;
    size_t started = 0;
    size_t over = 0;
    session *sessions = calloc(at_once, sizeof *sessions);
    struct pollfd *fds = calloc(at_once, sizeof *fds);
    if (sessions == NULL || fds == NULL)
        die("sessions");
    for (size_t i = 0; i < at_once; i++)
        sessions[i].fd = -1;
    while (over < accounts) {
        for (size_t i = 0; i < at_once; i++) {
            session *s = &sessions[i];
            if (s->fd < 0 && started < accounts) {
                char user[32];
                snprintf(user, sizeof user, "user%zu", ++started);
                start(s, port, accounts > 1 ? user : "user", messages);
            }
            short events = s->sent < s->out_len ? POLLIN | POLLOUT : POLLIN;
            fds[i] = (struct pollfd){.fd = s->fd, .events = events};
        }
        if (poll(fds, at_once, -1) < 0 && errno != EINTR)
            die("poll");
        for (size_t i = 0; i < at_once; i++) {
            if ((fds[i].revents & POLLOUT) != 0)
                send_some(&sessions[i]);
            if ((fds[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
                over += !receive_some(&sessions[i], d, &octets);
        }
    }
    free(sessions);
    free(fds);
    return octets;
}

/* One session over TLS. The commands go out in one piece before anything is read, which the
 * socket's buffers must have room for. */
static uint64_t run_tls(uint16_t port, size_t messages, delivery *d)
{
    size_t len;
    char *out = commands("user", messages, &len);
    if (len > 128 * 1024)
        die_plain("too many messages to ask for over TLS without reading in between");
    int fd = connect_to(port, 0);
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = ctx != NULL ? SSL_new(ctx) : NULL;
    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1)
        die_plain("out of memory for TLS");
    SSL_set_read_ahead(ssl, 1);
    SSL_set_default_read_buffer_len(ssl, 128 * 1024);
    SSL_set_options(ssl, SSL_OP_IGNORE_UNEXPECTED_EOF);
    if (SSL_connect(ssl) != 1 || SSL_write(ssl, out, (int)len) != (int)len)
        die_plain("TLS failed");
    uint64_t octets = 0;
    size_t got;
    while (SSL_read_ex(ssl, buffer, sizeof buffer, &got) == 1) {
        octets += got;
        if (d->dir != NULL)
            deliver(d, buffer, got);
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    close(fd);
    free(out);
    return octets;
}

/* A connection; ssl is NULL in the clear. */
typedef struct line {
    int fd; /* non-blocking if awake */
    SSL *ssl;
    bool awake;
} line;

static void send_to(const line *l, const char *command)
{
    size_t len = strlen(command);
    ssize_t sent = len == 0         ? 0
                   : l->ssl != NULL ? SSL_write(l->ssl, command, (int)len)
                                    : send(l->fd, command, len, MSG_NOSIGNAL);
    if (sent != (ssize_t)len)
        die_plain("sending failed");
}

/* Whether a call that returned `result` is to be repeated, because nothing has arrived yet. */
static bool too_early(const line *l, int result)
{
    return l->awake && SSL_get_error(l->ssl, result) == SSL_ERROR_WANT_READ;
}

static void shake_hands(const line *l)
{
    int result;
    do {
        result = SSL_connect(l->ssl);
    } while (result != 1 && too_early(l, result));
    if (result != 1)
        die_plain("TLS failed");
}

static size_t receive_tls(const line *l)
{
    size_t got = 0;
    int result;
    do {
        result = SSL_read_ex(l->ssl, buffer, sizeof buffer, &got);
    } while (result != 1 && too_early(l, result));
    if (result != 1)
        die_plain("TLS failed");
    return got;
}

static size_t receive_plain(const line *l)
{
    ssize_t n;
    do {
        n = recv(l->fd, buffer, sizeof buffer, 0);
    } while (n < 0 && l->awake && errno == EAGAIN);
    if (n <= 0)
        die("receiving");
    return (size_t)n;
}

static void exchange(const line *l, const char *command, const char *end, uint64_t *octets)
{
    char last[5] = {0}; /* the last octets, as an end may be cut in two */
    size_t len = strlen(end);
    send_to(l, command);
    while (memcmp(last + sizeof last - len, end, len) != 0) {
        size_t n = l->ssl != NULL ? receive_tls(l) : receive_plain(l);
        size_t kept = n < sizeof last ? sizeof last - n : 0;
        memmove(last, last + sizeof last - kept, kept);
        memcpy(last + kept, buffer + n - (sizeof last - kept), sizeof last - kept);
        *octets += n;
    }
}

/* One session, a command at a time. */
static uint64_t run_sequential(uint16_t port, size_t messages, bool tls, bool awake)
{
    uint64_t octets = 0;
    char command[32];
    line l = {.fd = connect_to(port, 0), .awake = awake};
    if (awake)
        make_nonblocking(l.fd);
    SSL_CTX *ctx = tls ? SSL_CTX_new(TLS_client_method()) : NULL;
    if (tls) {
        l.ssl = ctx != NULL ? SSL_new(ctx) : NULL;
        if (l.ssl == NULL || SSL_set_fd(l.ssl, l.fd) != 1)
            die_plain("out of memory for TLS");
        shake_hands(&l);
    }
    exchange(&l, "", "\r\n", &octets);
    exchange(&l, "USER user\r\n", "\r\n", &octets);
    exchange(&l, "PASS pass\r\n", "\r\n", &octets);
    for (size_t i = 1; i <= messages; i++) {
        snprintf(command, sizeof command, "RETR %zu\r\n", i);
        exchange(&l, command, "\r\n.\r\n", &octets);
    }
    exchange(&l, "QUIT\r\n", "\r\n", &octets);
    SSL_free(l.ssl);
    SSL_CTX_free(ctx);
    close(l.fd);
    return octets;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"tls", no_argument, NULL, 't'},           {"accounts", required_argument, NULL, 'a'},
        {"at-once", required_argument, NULL, 'o'}, {"deliver", required_argument, NULL, 'd'},
        {"batch", required_argument, NULL, 'b'},   {"sequential", no_argument, NULL, 's'},
        {"awake", no_argument, NULL, 'w'},         {NULL, 0, NULL, 0},
    };
    delivery d = {.batch = 1000};
    bool tls = false;
    bool sequential = false;
    bool awake = false;
    size_t accounts = 1;
    size_t at_once = SIZE_MAX;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 't':
            tls = true;
            break;
        case 's':
            sequential = true;
            break;
        case 'w':
            awake = true;
            break;
        case 'a':
            accounts = number_or_die(optarg, 1000000);
            break;
        case 'o':
            at_once = number_or_die(optarg, 1000000);
            break;
        case 'd':
            d.dir = optarg;
            break;
        case 'b':
            d.batch = number_or_die(optarg, 1000000);
            break;
        default:
            return 2;
        }
    }
    if (argc - optind != 2 || accounts == 0 || at_once == 0 ||
        (accounts > 1 && (tls || d.dir != NULL)) || (sequential && (accounts > 1 || d.dir)) ||
        (awake && !sequential))
        die_plain("[--tls] [--accounts N] [--at-once N] [--deliver DIR [--batch N]] PORT MESSAGES, "
                  "or --sequential [--awake] [--tls] PORT MESSAGES");
    uint16_t port = (uint16_t)number_or_die(argv[optind], UINT16_MAX);
    size_t messages = number_or_die(argv[optind + 1], 10000000);
    allow_many_descriptors();
    if (d.dir != NULL)
        begin_delivery(&d, messages);
    at_once = at_once < accounts ? at_once : accounts;
    uint64_t octets = sequential ? run_sequential(port, messages, tls, awake)
                      : tls      ? run_tls(port, messages, &d)
                                 : run_plain(port, accounts, at_once, messages, &d);
    if (d.dir != NULL) {
        end_batch(&d);
        if (d.next != messages)
            die_plain("not all messages came");
    }
    printf("%zu messages, %" PRIu64 " octets\n", accounts * messages, octets);
    return EXIT_SUCCESS;
}

/* Connecting to one of many addresses (RFC 8305, "Happy Eyeballs"). */
#define _GNU_SOURCE /* NI_MAXHOST */
#include "io/dial.h"

#include "io/clock.h"
#include "io/socket.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

/* The Connection Attempt Delay that RFC 8305 §5 recommends, in milliseconds. */
#define P3_ATTEMPT_DELAY 250

static void add_address(p3_dial *d, const struct addrinfo *a)
{
    if (d->count == P3_DIAL_ADDRESSES || a->ai_addrlen > sizeof d->addresses[0].at)
        return;
    p3_socket_address *to = &d->addresses[d->count++];
    memcpy(&to->at, a->ai_addr, a->ai_addrlen);
    to->len = a->ai_addrlen;
}

static const struct addrinfo *next_of(const struct addrinfo *a, int family, bool same)
{
    while (a != NULL && (a->ai_family == family) != same)
        a = a->ai_next;
    return a;
}

void p3_dial_begin(p3_dial *d, const struct addrinfo *list)
{
    *d = (p3_dial){.error = EADDRNOTAVAIL};
    if (list == NULL)
        return;
    /* The resolver has sorted them (RFC 6724); the families take turns, beginning with that of the
     * first address. */
    int family = list->ai_family;
    const struct addrinfo *a = list;
    const struct addrinfo *b = next_of(list, family, false);
    while (a != NULL || b != NULL) {
        if (a != NULL) {
            add_address(d, a);
            a = next_of(a->ai_next, family, true);
        }
        if (b != NULL) {
            add_address(d, b);
            b = next_of(b->ai_next, family, false);
        }
    }
}

bool p3_dial_begin_unix(p3_dial *d, const char *path)
{
    *d = (p3_dial){.error = EADDRNOTAVAIL};
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    if (len >= sizeof un.sun_path)
        return false;
    memcpy(un.sun_path, path, len + 1);
    memcpy(&d->addresses[0].at, &un, sizeof un);
    d->addresses[0].len = sizeof un;
    d->count = 1;
    return true;
}

/* Removes addresses that cannot be reached from one of this family: their failure would hide why
 * the others failed. */
static void keep_family(p3_dial *d, int family)
{
    size_t kept = 0;
    for (size_t i = 0; i < d->count; i++) {
        if (d->addresses[i].at.ss_family == family)
            d->addresses[kept++] = d->addresses[i];
    }
    d->count = kept;
    if (kept == 0)
        d->error = EAFNOSUPPORT;
}

bool p3_dial_bind(p3_dial *d, const char *numeric)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *list = NULL;
    if (getaddrinfo(numeric, NULL, &hints, &list) != 0)
        return false;
    bool fits = list->ai_addrlen <= sizeof d->local.at;
    if (fits) {
        memcpy(&d->local.at, list->ai_addr, list->ai_addrlen);
        d->local.len = list->ai_addrlen;
        d->have_local = true;
        keep_family(d, list->ai_family);
    }
    freeaddrinfo(list);
    return fits;
}

/* Has the caller begin the connection. */
static int start_elsewhere(const p3_dial *d, const p3_socket_address *a)
{
    bool from = d->have_local && a->at.ss_family != AF_UNIX;
    int fd = d->connect(d->connect_ctx, &a->at, from ? &d->local.at : NULL);
    if (fd >= 0)
        p3_socket_prepare(fd, a->at.ss_family);
    return fd;
}

/* Starts connecting to one address. Returns the socket, or -1 with errno. */
static int start_attempt(const p3_dial *d, const p3_socket_address *a)
{
    if (d->connect != NULL)
        return start_elsewhere(d, a);
    int fd = p3_socket(a->at.ss_family);
    if (fd < 0)
        return -1;
    if (d->have_local && a->at.ss_family != AF_UNIX &&
        bind(fd, (const struct sockaddr *)&d->local.at, d->local.len) != 0)
        goto failed;
    int r;
    do
        r = connect(fd, (const struct sockaddr *)&a->at, a->len);
    while (r != 0 && errno == EINTR);
    if (r == 0 || errno == EINPROGRESS || errno == EALREADY || errno == EISCONN)
        return fd;
failed:
    p3_retire(d->retired, &fd);
    return -1;
}

/* Whether a socket has finished connecting: POP3_PENDING, POP3_OK, or POP3_ERR_CONNECT with *error.
 */
static pop3_status check_attempt(int fd, int *error)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    if (poll(&p, 1, 0) <= 0)
        return POP3_PENDING;
    socklen_t len = sizeof *error;
    *error = 0;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, error, &len) != 0)
        *error = errno;
    return *error == 0 ? POP3_OK : POP3_ERR_CONNECT;
}

static void remove_attempt(p3_dial *d, size_t i)
{
    p3_retire(d->retired, &d->attempts[i].fd);
    d->attempts[i] = d->attempts[--d->under_way];
}

pop3_status p3_dial_step(p3_dial *d, int64_t now, int *fd, const p3_socket_address **peer)
{
    bool failed = false;
    for (size_t i = 0; i < d->under_way;) {
        int error;
        switch (check_attempt(d->attempts[i].fd, &error)) {
        case POP3_PENDING:
            i++;
            break;
        case POP3_OK:
            *fd = d->attempts[i].fd;
            *peer = &d->addresses[d->attempts[i].address];
            d->attempts[i].fd = -1;
            p3_dial_end(d);
            return POP3_OK;
        default:
            d->error = error;
            failed = true;
            remove_attempt(d, i);
        }
    }
    while (d->next < d->count && d->under_way < P3_DIAL_ATTEMPTS &&
           (failed || d->under_way == 0 || now >= d->next_at)) {
        size_t address = d->next++;
        int started = start_attempt(d, &d->addresses[address]);
        if (started < 0) {
            d->error = errno;
            continue;
        }
        d->attempts[d->under_way].fd = started;
        d->attempts[d->under_way++].address = address;
        d->next_at = now + P3_ATTEMPT_DELAY;
        failed = false;
    }
    return d->under_way > 0 ? POP3_PENDING : POP3_ERR_CONNECT;
}

int64_t p3_dial_waits(const p3_dial *d, p3_wait_set *set)
{
    for (size_t i = 0; i < d->under_way; i++)
        p3_wait_add(set, d->attempts[i].fd, false, true);
    bool more = d->next < d->count && d->under_way < P3_DIAL_ATTEMPTS;
    return more ? d->next_at : P3_NEVER;
}

void p3_dial_end(p3_dial *d)
{
    for (size_t i = 0; i < d->under_way; i++)
        p3_retire(d->retired, &d->attempts[i].fd);
    d->under_way = 0;
}

void p3_socket_address_text(const p3_socket_address *a, char *out, size_t size)
{
    char host[NI_MAXHOST];
    char port[NI_MAXSERV];
    if (a->at.ss_family == AF_UNIX)
        snprintf(out, size, "%s", ((const struct sockaddr_un *)(const void *)&a->at)->sun_path);
    else if (getnameinfo((const struct sockaddr *)&a->at, a->len, host, sizeof host, port,
                         sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        snprintf(out, size, "an unknown address");
    else if (a->at.ss_family == AF_INET6)
        snprintf(out, size, "[%s]:%s", host, port);
    else
        snprintf(out, size, "%s:%s", host, port);
}

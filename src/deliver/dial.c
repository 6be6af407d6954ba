/* Connects to a server that receives messages. */
#include "deliver/dial.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include <pop3/client.h>

#include "confine/outside.h"
#include "confine/runner.h"
#include "support/clock.h"
#include "support/stop_request.h"

/* Milliseconds for connecting to an address. */
#define P3_CONNECT_MS 30000

bool p3_dial_wait(int fd, short events, int64_t until)
{
    int n = 0;
    while (n == 0 && p3_clock_ms() < p3_stop_request_until(until))
        n = p3_stop_request_poll(fd, events, until);
    if (n == 0)
        errno = p3_stop_request_is_made() ? ECANCELED : ETIMEDOUT;
    return n > 0;
}

static int dial_one(struct sockaddr_storage *a, uint16_t port)
{
    if (a->ss_family == AF_INET6)
        ((struct sockaddr_in6 *)a)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)a)->sin_port = htons(port);
    int error = 0;
    socklen_t size = sizeof error;
    int fd = p3_outside_dial(NULL, a, NULL);
    if (fd < 0)
        return -1;
    bool up = p3_dial_wait(fd, POLLOUT, p3_clock_ms() + P3_CONNECT_MS) &&
              getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
    if (up)
        return fd;
    error = error != 0 ? error : errno;
    (void)close(fd);
    errno = error;
    return -1;
}

/* The addresses of a host: looked up outside of the sandbox, if there is one. */
static size_t look_up(const char *host, struct sockaddr_storage *out, const char **why)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    char *name = p3_outside_name(host);
    size_t count = 0;
    if (name != NULL && p3_runner_is_there()) {
        count = p3_outside_resolve(NULL, name, out, why);
        free(name);
        return count;
    }
    hints.ai_flags = name == NULL ? AI_NUMERICHOST : 0;
    int error = getaddrinfo(name != NULL ? name : host, NULL, &hints, &list);
    for (const struct addrinfo *a = list; a != NULL && count < POP3_RESOLVE_ADDRESSES;
         a = a->ai_next) {
        if (a->ai_addrlen <= sizeof *out)
            memcpy(&out[count++], a->ai_addr, a->ai_addrlen);
    }
    *why = error != 0 ? gai_strerror(error) : "it has no address";
    if (list != NULL)
        freeaddrinfo(list);
    free(name);
    return count;
}

int p3_dial(const p3_server_address *to, const char *protocol, p3_problem *why)
{
    struct sockaddr_storage addresses[POP3_RESOLVE_ADDRESSES];
    const char *reason = "";
    int fd = -1;
    if (to->path != NULL) {
        fd = p3_outside_connect(to->path);
        if (fd < 0)
            p3_problem_set(why, EX_TEMPFAIL,
                           "connecting to the %s server at %s: %s; check that it is running, and "
                           "that this user may use its socket",
                           protocol, to->path, strerror(errno));
        return fd;
    }
    size_t count = look_up(to->host, addresses, &reason);
    if (count == 0)
        p3_problem_set(
            why, EX_TEMPFAIL,
            "looking up the %s server %s: %s; check its name, and this machine's network", protocol,
            to->host, reason);
    for (size_t i = 0; i < count && fd < 0; i++) {
        fd = dial_one(&addresses[i], to->port);
        if (fd < 0)
            p3_problem_set(why, EX_TEMPFAIL,
                           "connecting to the %s server %s, port %u: %s; check that it is running",
                           protocol, to->host, to->port, p3_stop_request_reason(errno));
    }
    return fd;
}

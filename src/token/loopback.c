/* Where the browser is sent back to: a listener on 127.0.0.1 (RFC 8252 §7.3).
 *
 * Any program on this machine can connect, so nothing is believed that comes: what counts is the
 * state parameter, which only the provider and the browser have seen, and PKCE. */
#include "token/loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "support/clock.h"
#include "system/descriptor.h"
#include "system/erase.h"

#define P3_REQUEST_MOST 8192 /* octets of a request's line and fields */
#define P3_REQUEST_MS   5000 /* until it has come */

static const char page[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n"
    "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n"
    "Content-Security-Policy: default-src 'none'\r\nX-Content-Type-Options: nosniff\r\n\r\n"
    "<!DOCTYPE html><title>pop3</title><p>pop3 has got the answer. You can close this window."
    "</p>\n";
static const char no_page[] =
    "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

int p3_loopback_listen(uint16_t *port, p3_problem *why)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = p3_descriptor_socket(AF_INET);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0 && listen(fd, 8) == 0 &&
        getsockname(fd, (struct sockaddr *)&at, &len) == 0) {
        *port = ntohs(at.sin_port);
        return fd;
    }
    p3_problem_errno(why, errno, "listening for the browser on 127.0.0.1");
    if (fd >= 0)
        (void)close(fd);
    return -1;
}

static bool wait_for(int fd, short what, int64_t deadline)
{
    for (;;) {
        int64_t left = deadline - p3_clock_ms();
        struct pollfd p = {.fd = fd, .events = what};
        int n = left > 0 ? poll(&p, 1, (int)left) : 0;
        if (n > 0 || (n < 0 && errno != EINTR))
            return n > 0;
        if (left <= 0)
            return false;
    }
}

/* Reads a request up to the empty line. Returns whether it came. */
static bool read_request(int fd, char *out, size_t size, int64_t deadline)
{
    size_t len = 0;
    while (len + 1 < size && wait_for(fd, POLLIN, deadline)) {
        ssize_t n = recv(fd, out + len, size - len - 1, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return false;
        if (n > 0)
            len += (size_t)n;
        out[len] = '\0';
        if (strstr(out, "\r\n\r\n") != NULL)
            return true;
    }
    return false;
}

/* The query of "GET PATH?QUERY HTTP/1.x", in place; NULL for anything else. */
static char *query_of(char *request, const char *path)
{
    size_t len = strlen(path);
    char *line_end = strstr(request, "\r\n");
    if (strncmp(request, "GET ", 4) != 0 || strncmp(request + 4, path, len) != 0 ||
        request[4 + len] != '?' || line_end == NULL)
        return NULL;
    *line_end = '\0';
    char *query = request + 4 + len + 1;
    char *blank = strchr(query, ' ');
    if (blank == NULL || strncmp(blank, " HTTP/1.", 8) != 0)
        return NULL;
    *blank = '\0';
    return query;
}

/* Takes one connection. Returns the query, if it is the one that is waited for. */
static char *serve(int fd, const char *path)
{
    char request[P3_REQUEST_MOST];
    char *query = NULL;
    if (read_request(fd, request, sizeof request, p3_clock_ms() + P3_REQUEST_MS)) {
        const char *found = query_of(request, path);
        query = found != NULL ? strdup(found) : NULL;
        const char *answer = query != NULL ? page : no_page;
        (void)send(fd, answer, strlen(answer), MSG_NOSIGNAL | MSG_DONTWAIT);
        (void)shutdown(fd, SHUT_WR);
    }
    p3_erase(request, sizeof request);
    return query;
}

char *p3_loopback_receive(int listener, const char *path, int wait_ms, p3_problem *why)
{
    int64_t deadline = p3_clock_ms() + wait_ms;
    char *query = NULL;
    while (query == NULL && wait_for(listener, POLLIN, deadline)) {
        struct sockaddr_in from = {0};
        socklen_t len = sizeof from;
        int fd = accept(listener, (struct sockaddr *)&from, &len);
        if (fd < 0)
            continue;
        (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
        if (from.sin_addr.s_addr == htonl(INADDR_LOOPBACK))
            query = serve(fd, path);
        (void)close(fd);
    }
    (void)close(listener);
    if (query == NULL)
        p3_problem_set(why, EX_TEMPFAIL,
                       "waiting for the browser: it did not come back in time; try again, or use "
                       "--device or --paste");
    return query;
}

void p3_loopback_close(int listener)
{
    (void)close(listener);
}

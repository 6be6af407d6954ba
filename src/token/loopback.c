/* The redirect address of the browser: a listener on 127.0.0.1 (RFC 8252 §7.3).
 *
 * Any program on this machine can connect, so received data is not trusted: the state parameter,
 * which only the provider and the browser know, and PKCE protect the exchange. */
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
#include "web/form.h"

#define P3_REQUEST_MOST 8192 /* octets of a request's line and fields */
#define P3_REQUEST_MS   5000 /* until it has come */
#define P3_VISITORS     8    /* connections at a time: browsers open some without using them */

/* A connection, and what it has sent. */
typedef struct p3_visitor {
    int fd;           /* -1: none */
    int64_t deadline; /* of p3_clock_ms() */
    size_t len;
    char request[P3_REQUEST_MOST];
} p3_visitor;

#define P3_PAGE                                                                                    \
    "\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\nCache-Control: "           \
    "no-store\r\nReferrer-Policy: no-referrer\r\nContent-Security-Policy: default-src "            \
    "'none'\r\nX-Content-Type-Options: nosniff\r\n\r\n<!DOCTYPE html><title>pop3</title><p>"

static const char page[] =
    "HTTP/1.1 200 OK" P3_PAGE "pop3 has received the answer. You can close this window.</p>\n";
static const char strange_page[] =
    "HTTP/1.1 403 Forbidden" P3_PAGE "This answer belongs to another request (its state differs). "
    "pop3 does not use it, and waits for the one that it asked for: open the address that it "
    "shows.</p>\n";
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

static void dismiss(p3_visitor *v)
{
    if (v->fd < 0)
        return;
    (void)close(v->fd);
    p3_erase(v->request, v->len);
    v->fd = -1;
}

/* Accepts a connection from this machine; if there is no room, it replaces the oldest one, so that
 * silent connections cannot lock out the browser. */
static void admit(p3_visitor visitors[P3_VISITORS], int listener)
{
    struct sockaddr_in from = {0};
    socklen_t len = sizeof from;
    p3_visitor *v = &visitors[0];
    int fd = accept(listener, (struct sockaddr *)&from, &len);
    if (fd < 0)
        return;
    if (from.sin_addr.s_addr != htonl(INADDR_LOOPBACK)) {
        (void)close(fd);
        return;
    }
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    for (size_t i = 1; i < P3_VISITORS && v->fd >= 0; i++) {
        if (visitors[i].fd < 0 || visitors[i].deadline < v->deadline)
            v = &visitors[i];
    }
    dismiss(v);
    v->fd = fd;
    v->len = 0;
    v->deadline = p3_clock_ms() + P3_REQUEST_MS;
}

/* Whether it is the answer to the request that has this state. Any page that the browser shows can
 * send it here with another. */
static bool has_state(const char *query, const char *state)
{
    bool twice;
    char *found = p3_form_find(query, "state", &twice);
    bool same = found != NULL && strcmp(found, state) == 0;
    free(found);
    return same;
}

/* Answers a complete request. Returns the query, if it is the expected one. */
static char *answer(p3_visitor *v, const char *path, const char *state)
{
    const char *found = query_of(v->request, path);
    char *query = found != NULL && has_state(found, state) ? strdup(found) : NULL;
    const char *text = query != NULL ? page : found != NULL ? strange_page : no_page;
    (void)send(v->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)shutdown(v->fd, SHUT_WR);
    dismiss(v);
    return query;
}

/* Reads from a connection. Returns the query, if it is the expected one. */
static char *read_query(p3_visitor *v, const char *path, const char *state)
{
    ssize_t n = recv(v->fd, v->request + v->len, sizeof v->request - v->len - 1, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return NULL;
    v->len += n > 0 ? (size_t)n : 0;
    v->request[v->len] = '\0';
    if (n > 0 && strstr(v->request, "\r\n\r\n") != NULL)
        return answer(v, path, state);
    if (n <= 0 || v->len + 1 == sizeof v->request)
        dismiss(v);
    return NULL;
}

/* Waits for the listener or a connection, until a connection's time or all time is over. */
static void wait_for_any(p3_visitor visitors[P3_VISITORS], int listener, int64_t deadline,
                         struct pollfd out[P3_VISITORS + 1])
{
    int64_t now = p3_clock_ms();
    out[P3_VISITORS] = (struct pollfd){.fd = listener, .events = POLLIN};
    for (size_t i = 0; i < P3_VISITORS; i++) {
        if (visitors[i].fd >= 0 && visitors[i].deadline <= now)
            dismiss(&visitors[i]);
        if (visitors[i].fd >= 0 && visitors[i].deadline < deadline)
            deadline = visitors[i].deadline;
        out[i] = (struct pollfd){.fd = visitors[i].fd, .events = POLLIN};
    }
    if (poll(out, P3_VISITORS + 1, deadline > now ? (int)(deadline - now) : 0) < 0) {
        for (size_t i = 0; i <= P3_VISITORS; i++)
            out[i].revents = 0;
    }
}

char *p3_loopback_receive(int listener, const char *path, const char *state, int wait_ms,
                          p3_problem *why)
{
    int64_t deadline = p3_clock_ms() + wait_ms;
    p3_visitor visitors[P3_VISITORS];
    struct pollfd events[P3_VISITORS + 1];
    char *query = NULL;
    for (size_t i = 0; i < P3_VISITORS; i++)
        visitors[i].fd = -1;
    while (query == NULL && p3_clock_ms() < deadline) {
        wait_for_any(visitors, listener, deadline, events);
        for (size_t i = 0; query == NULL && i < P3_VISITORS; i++) {
            if (events[i].revents != 0)
                query = read_query(&visitors[i], path, state);
        }
        if (query == NULL && events[P3_VISITORS].revents != 0)
            admit(visitors, listener);
    }
    for (size_t i = 0; i < P3_VISITORS; i++)
        dismiss(&visitors[i]);
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

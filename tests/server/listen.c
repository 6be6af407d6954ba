/* Sockets that listen, on loopback addresses only: this server must never be reached from outside,
 * for it accepts anybody. */
#define _GNU_SOURCE /* SOCK_NONBLOCK, SOCK_CLOEXEC */
#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool parse_address(const char *text, unsigned port, union address *address, socklen_t *len)
{
    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, text, &address->v4.sin_addr) == 1) {
        address->v4.sin_family = AF_INET;
        address->v4.sin_port = htons((uint16_t)port);
        *len = sizeof address->v4;
        return ntohl(address->v4.sin_addr.s_addr) >> 24 == 127;
    }
    if (inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1) {
        address->v6.sin6_family = AF_INET6;
        address->v6.sin6_port = htons((uint16_t)port);
        *len = sizeof address->v6;
        return IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
    }
    return false;
}

bool is_loopback(const char *text)
{
    union address address;
    socklen_t len = 0;
    return parse_address(text, 0, &address, &len);
}

int listen_at(const char *text, unsigned *port)
{
    union address address;
    socklen_t len = 0;
    int on = 1;
    int fd = -1;
    if (!parse_address(text, *port, &address, &len)) {
        (void)fprintf(stderr, "pop3-testserver: '%s' is no loopback address\n", text);
        return -1;
    }
    fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, &address.any, len) != 0 || listen(fd, SOMAXCONN) != 0 ||
        getsockname(fd, &address.any, &len) != 0) {
        (void)fprintf(stderr, "pop3-testserver: listening at %s, port %u: %s\n", text, *port,
                      strerror(errno));
        if (fd >= 0) {
            (void)close(fd);
        }
        return -1;
    }
    *port = ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
    return fd;
}

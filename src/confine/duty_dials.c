/* The addresses that the runner connects to, and how. */
#include "confine/duty_dials.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "support/local_socket.h"

/* Addresses that are kept for each place. The answers for names with several addresses change. */
#define P3_KEPT_FOR_A_PLACE 64

/* An address of a place. */
typedef struct p3_endpoint {
    struct in6_addr address; /* an IPv4 address is mapped */
    uint16_t port;
    uint64_t last; /* when it was last found, as a count of answers */
} p3_endpoint;

static struct {
    p3_endpoint *at;
    size_t count;
    uint64_t now;
} known;

/* The address and port of a socket address; false for one of another family. */
static bool read_endpoint(const struct sockaddr_storage *from, p3_endpoint *out)
{
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)from;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)from;
    *out = (p3_endpoint){0};
    if (from->ss_family == AF_INET6) {
        out->address = v6->sin6_addr;
        out->port = ntohs(v6->sin6_port);
    } else {
        out->address.s6_addr[10] = out->address.s6_addr[11] = 0xff;
        memcpy(&out->address.s6_addr[12], &v4->sin_addr, sizeof v4->sin_addr);
        out->port = ntohs(v4->sin_port);
    }
    return from->ss_family == AF_INET6 || from->ss_family == AF_INET;
}

static p3_endpoint *find_server(const p3_endpoint *e)
{
    for (size_t i = 0; i < known.count; i++) {
        p3_endpoint *at = &known.at[i];
        if (at->port == e->port && memcmp(&at->address, &e->address, sizeof e->address) == 0)
            return at;
    }
    return NULL;
}

/* The address that was found the longest ago. */
static p3_endpoint *find_oldest(void)
{
    p3_endpoint *oldest = known.at;
    for (size_t i = 1; i < known.count; i++) {
        if (known.at[i].last < oldest->last)
            oldest = &known.at[i];
    }
    return oldest;
}

/* Adds an address of a place, replacing the oldest if there are too many. */
static void learn(const p3_runner_duties *d, const struct sockaddr_storage *address, uint16_t port,
                  uint64_t now)
{
    p3_endpoint e;
    if (!read_endpoint(address, &e))
        return;
    e.port = port;
    p3_endpoint *at = find_server(&e);
    if (at == NULL && known.count < d->place_count * P3_KEPT_FOR_A_PLACE) {
        p3_endpoint *more = realloc(known.at, (known.count + 1) * sizeof *more);
        if (more == NULL)
            return;
        known.at = more;
        at = &known.at[known.count++];
        at->last = 0;
    }
    if (at == NULL)
        at = find_oldest();
    if (at->last != UINT64_MAX) /* numeric addresses are never replaced */
        e.last = now;
    else
        e = *at;
    *at = e;
}

void p3_duty_learn_numeric(const p3_runner_duties *d)
{
    for (size_t i = 0; i < d->place_count; i++) {
        struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                 .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
        struct addrinfo *list = NULL;
        struct sockaddr_storage address = {0};
        if (getaddrinfo(d->places[i].host, NULL, &hints, &list) != 0)
            continue;
        memcpy(&address, list->ai_addr, list->ai_addrlen);
        learn(d, &address, d->places[i].port, UINT64_MAX);
        freeaddrinfo(list);
    }
}

void p3_duty_learn(const p3_runner_duties *d, const p3_found_name *found)
{
    const char *name = d->places[found->which].host;
    known.now++;
    for (size_t i = 0; i < d->place_count; i++) {
        if (strcmp(d->places[i].host, name) != 0)
            continue;
        for (uint32_t k = 0; k < found->answer.count; k++)
            learn(d, &found->answer.addresses[k], d->places[i].port, known.now);
    }
}

/* The source address; any port. */
static struct sockaddr_storage source_of(const p3_dial_request *r)
{
    struct sockaddr_storage source = r->source;
    if (source.ss_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)&source)->sin6_port = 0;
    else
        ((struct sockaddr_in *)(void *)&source)->sin_port = 0;
    return source;
}

int p3_duty_dial(const p3_dial_request *r, const p3_runner_duties *d, int *fd)
{
    p3_endpoint e;
    const struct sockaddr_storage source = source_of(r);
    *fd = -1;
    if (!read_endpoint(&r->to, &e) || find_server(&e) == NULL ||
        (r->has_source != 0 && !d->sources))
        return EACCES;
    *fd = p3_dial_socket(&r->to, r->has_source != 0 ? &source : NULL);
    return *fd < 0 ? errno : 0;
}

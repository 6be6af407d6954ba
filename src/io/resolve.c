/* Resolves host names without blocking the caller: the system's resolver runs in a thread. */
#include "io/resolve.h"

#include "io/socket.h"
#include "io/wake.h"
#include "system/thread.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An address from another resolver. */
typedef struct p3_found {
    struct addrinfo info;
    struct sockaddr_storage at;
} p3_found;

struct p3_resolve {
    atomic_int owners; /* the caller and the thread: the last one frees it */
    p3_wake answer;    /* raised by the thread when it has written `why` and `list` */
    const char *why;   /* why there are no addresses, or NULL */
    struct addrinfo *list;
    p3_resolver by;
    p3_found *found; /* the entries of the list, if `by` has made it */
    uint16_t number; /* of the port */
    char port[6];
    char host[];
};

static void release(p3_resolve *r)
{
    if (atomic_fetch_sub(&r->owners, 1) != 1)
        return;
    if (r->list != NULL && r->found == NULL)
        freeaddrinfo(r->list);
    free(r->found);
    p3_wake_free(&r->answer);
    free(r);
}

static const char *look_up(p3_resolve *r, int flags)
{
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = flags | AI_NUMERICSERV,
    };
    int error = getaddrinfo(r->host, r->port, &hints, &r->list);
    return error != 0 ? gai_strerror(error) : NULL;
}

/* Writes the port into an address. Returns its length, or 0 for another family. */
static socklen_t set_port(struct sockaddr_storage *at, uint16_t port)
{
    if (at->ss_family == AF_INET) {
        ((struct sockaddr_in *)at)->sin_port = htons(port);
        return sizeof(struct sockaddr_in);
    }
    if (at->ss_family != AF_INET6)
        return 0;
    ((struct sockaddr_in6 *)at)->sin6_port = htons(port);
    return sizeof(struct sockaddr_in6);
}

/* Calls the caller's resolver, and converts its result to a list like that of getaddrinfo(). */
static const char *ask_resolver(p3_resolve *r)
{
    struct sockaddr_storage addresses[P3_RESOLVER_ADDRESSES];
    const char *why = "no address";
    struct addrinfo **end = &r->list;
    size_t count = r->by.look_up(r->by.ctx, r->host, addresses, &why);
    if (count == 0)
        return why;
    if (count > P3_RESOLVER_ADDRESSES)
        count = P3_RESOLVER_ADDRESSES;
    r->found = calloc(count, sizeof *r->found);
    if (r->found == NULL)
        return gai_strerror(EAI_MEMORY);
    for (size_t i = 0; i < count; i++) {
        p3_found *f = &r->found[i];
        f->at = addresses[i];
        f->info = (struct addrinfo){.ai_family = f->at.ss_family,
                                    .ai_socktype = SOCK_STREAM,
                                    .ai_addrlen = set_port(&f->at, r->number),
                                    .ai_addr = (struct sockaddr *)&f->at};
        if (f->info.ai_addrlen == 0)
            continue;
        *end = &f->info;
        end = &f->info.ai_next;
    }
    return r->list == NULL ? gai_strerror(EAI_FAMILY) : NULL;
}

static void *thread_main(void *arg)
{
    p3_resolve *r = arg;
    /* AI_ADDRCONFIG would exclude ::1 on a host without other IPv6 addresses. */
    r->why = r->by.look_up != NULL ? ask_resolver(r) : look_up(r, 0);
    p3_wake_raise(&r->answer); /* a caller that has gone is no SIGPIPE: signals are blocked here */
    release(r);
    return NULL;
}

pop3_status p3_resolve_start(p3_resolve **out, const char *host, uint16_t port,
                             const p3_resolver *by)
{
    size_t len = strlen(host);
    p3_resolve *r = calloc(1, sizeof *r + len + 1);
    if (r == NULL)
        return POP3_ERR_MEMORY;
    atomic_init(&r->owners, 1);
    r->answer.ends[0] = r->answer.ends[1] = -1;
    memcpy(r->host, host, len + 1);
    snprintf(r->port, sizeof r->port, "%u", (unsigned)port);
    r->by = *by;
    r->number = port;
    r->why = look_up(r, AI_NUMERICHOST);
    if (r->why == NULL) {
        *out = r;
        return POP3_OK;
    }
    if (!p3_wake_init(&r->answer)) {
        release(r);
        return POP3_ERR_IO;
    }
    atomic_store(&r->owners, 2);
    int error = p3_thread_start(NULL, thread_main, r);
    if (error != 0) {
        atomic_store(&r->owners, 1);
        release(r);
        errno = error;
        return POP3_ERR_IO;
    }
    *out = r;
    return POP3_OK;
}

int p3_resolve_fd(const p3_resolve *r)
{
    return r->answer.ends[0];
}

pop3_status p3_resolve_result(p3_resolve *r, const struct addrinfo **list, const char **why)
{
    if (r->answer.ends[0] >= 0 && !p3_wake_is_raised(&r->answer))
        return POP3_PENDING;
    if (r->why != NULL) {
        *why = r->why;
        return POP3_ERR_RESOLVE;
    }
    *list = r->list;
    return POP3_OK;
}

/* The caller's resolver uses the texts of the C library. */
bool p3_resolve_is_temporary(const p3_resolve *r)
{
    return r->why != NULL && strcmp(r->why, gai_strerror(EAI_AGAIN)) == 0;
}

void p3_resolve_free(p3_resolve *r, p3_retired *retired)
{
    if (r == NULL)
        return;
    if (p3_wake_is_raised(&r->answer)) {
        p3_wake_clear(&r->answer); /* the thread uses its end no more */
        p3_close(&r->answer.ends[1]);
    }
    p3_retire(retired, &r->answer.ends[0]); /* the thread does not use it */
    release(r);
}

/* Host names to addresses without blocking the caller: the system's resolver runs in a thread. */
#ifndef P3_IO_RESOLVE_H
#define P3_IO_RESOLVE_H

#include <pop3/types.h>

#include "io/retired.h"

struct addrinfo;
struct sockaddr_storage;

/* Looks names up in place of the system's resolver, as pop3_resolve_fn does; with NULL that does.
 */
typedef struct p3_resolver {
    size_t (*look_up)(void *ctx, const char *host, struct sockaddr_storage *addresses,
                      const char **why);
    void *ctx;
} p3_resolver;

/* Most addresses that it gives. */
#define P3_RESOLVER_ADDRESSES 16

/* A resolution under way. */
typedef struct p3_resolve p3_resolve;

/* Starts resolving, by the system's resolver or another. Numeric addresses are done at once,
 * without a thread. POP3_OK, POP3_ERR_MEMORY or POP3_ERR_IO (with errno). The caller gives *out up
 * with p3_resolve_free(). */
pop3_status p3_resolve_start(p3_resolve **out, const char *host, uint16_t port,
                             const p3_resolver *by);

/* The descriptor that becomes readable when the answer is there; -1 when it never had to be waited
 * for. */
int p3_resolve_fd(const p3_resolve *r);

/* POP3_PENDING; POP3_OK with the addresses, which live as long as r; POP3_ERR_RESOLVE with a
 * sentence in *why, in static storage. */
pop3_status p3_resolve_result(p3_resolve *r, const struct addrinfo **list, const char **why);

/* Whether the resolver could not answer, though it may later: no name server did. */
bool p3_resolve_is_temporary(const p3_resolve *r);

/* Gives the resolution up: a thread that is still busy ends by itself, and its descriptor is
 * retired. NULL does nothing. */
void p3_resolve_free(p3_resolve *r, p3_retired *retired);

#endif

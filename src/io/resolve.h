/* Resolves host names without blocking the caller: the system's resolver runs in a thread. */
#ifndef P3_IO_RESOLVE_H
#define P3_IO_RESOLVE_H

#include <pop3/types.h>

#include "io/retired.h"

struct addrinfo;
struct sockaddr_storage;

/* A replacement for the system's resolver, like pop3_resolve_fn; NULL: the system's. */
typedef struct p3_resolver {
    size_t (*look_up)(void *ctx, const char *host, struct sockaddr_storage *addresses,
                      const char **why);
    void *ctx;
} p3_resolver;

/* Most addresses that it gives. */
#define P3_RESOLVER_ADDRESSES 16

/* A lookup in progress. */
typedef struct p3_resolve p3_resolve;

/* Starts a lookup, with the system's resolver or another. Numeric addresses are converted at once,
 * without a thread. POP3_OK, POP3_ERR_MEMORY or POP3_ERR_IO (with errno). The caller frees *out
 * with p3_resolve_free(). */
pop3_status p3_resolve_start(p3_resolve **out, const char *host, uint16_t port,
                             const p3_resolver *by);

/* A descriptor that becomes readable when the result is available; -1 if it is available already.
 */
int p3_resolve_fd(const p3_resolve *r);

/* POP3_PENDING; POP3_OK with the addresses, which are valid as long as r; POP3_ERR_RESOLVE with a
 * message in *why, in static storage. */
pop3_status p3_resolve_result(p3_resolve *r, const struct addrinfo **list, const char **why);

/* Whether the failure is temporary: no name server answered. */
bool p3_resolve_is_temporary(const p3_resolve *r);

/* Abandons the lookup: a busy thread ends by itself, and its descriptor is retired. NULL does
 * nothing. */
void p3_resolve_free(p3_resolve *r, p3_retired *retired);

#endif

/* TLS sessions that later connections of a context may resume. */
#ifndef P3_IO_TLS_RESUME_H
#define P3_IO_TLS_RESUME_H

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>

/* Most sessions that are kept; the oldest makes room. */
#define P3_TLS_SESSIONS 64

typedef struct p3_tls_saved {
    char *name;           /* of the server it is with */
    SSL_SESSION *session; /* NULL: with this server sessions are not resumed */
} p3_tls_saved;

/* Connections in different threads may share them. */
typedef struct p3_tls_sessions {
    pthread_mutex_t lock;
    bool usable;                         /* the lock has been made */
    p3_tls_saved saved[P3_TLS_SESSIONS]; /* oldest first */
    size_t count;
} p3_tls_sessions;

/* False when no lock can be made. */
bool p3_tls_sessions_init(p3_tls_sessions *s);

/* Keeps a session and its reference. False when it is not kept: the reference is then the caller's.
 */
bool p3_tls_sessions_put(p3_tls_sessions *s, const char *name, SSL_SESSION *session);

/* A session with a server of that name, or NULL; the reference is the caller's. */
SSL_SESSION *p3_tls_sessions_take(p3_tls_sessions *s, const char *name);

/* Some servers fail when a session is offered to them (those of OpenSSL that ask for client
 * certificates and were not told a session context): none is, from now on. */
void p3_tls_sessions_forbid(p3_tls_sessions *s, const char *name);

void p3_tls_sessions_free(p3_tls_sessions *s);

#endif

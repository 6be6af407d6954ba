/* TLS sessions that later connections of a context may resume. */
#ifndef P3_IO_TLS_RESUME_H
#define P3_IO_TLS_RESUME_H

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>

/* Most sessions that are stored; the oldest is replaced. */
#define P3_TLS_SESSIONS 64

typedef struct p3_tls_saved {
    char *name;           /* name of its server */
    SSL_SESSION *session; /* NULL: sessions with this server are not resumed */
} p3_tls_saved;

/* Connections in different threads may share them. */
typedef struct p3_tls_sessions {
    pthread_mutex_t lock;
    bool usable;                         /* the lock has been created */
    p3_tls_saved saved[P3_TLS_SESSIONS]; /* oldest first */
    size_t count;
} p3_tls_sessions;

/* False when the lock cannot be created. */
bool p3_tls_sessions_init(p3_tls_sessions *s);

/* Stores a session and its reference. False if it is not stored: the reference then belongs to the
 * caller. */
bool p3_tls_sessions_put(p3_tls_sessions *s, const char *name, SSL_SESSION *session);

/* A session with a server of that name, or NULL; the reference belongs to the caller. */
SSL_SESSION *p3_tls_sessions_take(p3_tls_sessions *s, const char *name);

/* Some servers fail if a session is offered (OpenSSL servers that request client certificates
 * without a session context): from now on none is offered. */
void p3_tls_sessions_forbid(p3_tls_sessions *s, const char *name);

void p3_tls_sessions_free(p3_tls_sessions *s);

#endif

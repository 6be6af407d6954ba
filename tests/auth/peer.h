/* A server inside of the test program, in a thread: for what a script cannot say, such as the
 * server's side of SCRAM, or a proxy. */
#ifndef TESTS_AUTH_PEER_H
#define TESTS_AUTH_PEER_H

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* One connection, in the thread. */
typedef struct peer {
    int fd;
    SSL *ssl; /* NULL in the clear */
} peer;

typedef void (*peer_fn)(peer *p, void *ctx);

typedef struct peer_server {
    pthread_t thread;
    int listener;
    uint16_t port; /* of 127.0.0.1 */
    peer_fn serve; /* is called for each connection in turn, which is closed afterwards */
    void *ctx;
} peer_server;

/* Starts to listen, and the thread. The test fails if that cannot be done. */
void peer_start(peer_server *s, peer_fn serve, void *ctx);

/* Stops the thread when it has served the present connection. */
void peer_stop(peer_server *s);

/* For the thread. Each returns false when the connection has ended or nothing comes for long. */
bool peer_read(peer *p, void *buffer, size_t len);
bool peer_line(peer *p, char *line, size_t size); /* without its end */
bool peer_write(peer *p, const void *data, size_t len);
__attribute__((format(printf, 2, 3))) bool peer_say(peer *p, const char *format, ...);

/* The message of the mailbox that peer_mailbox() serves. */
#define PEER_MAIL "Subject: hello\r\n\r\nHello.\r\n"

/* Serves a mailbox with that message after a login, until QUIT. */
void peer_mailbox(peer *p);

/* A server's context with a certificate, at most of this version; NULL on failure. */
SSL_CTX *peer_context(const char *certificate, const char *key, int max_version);

/* Begins TLS in a context, of which connections may be many. */
bool peer_accept(peer *p, SSL_CTX *ctx);

/* Both, with a context for this connection alone. */
bool peer_tls(peer *p, const char *certificate, const char *key, int max_version);

/* Takes octets to another port of 127.0.0.1 and back, until either side closes. */
void peer_relay(peer *p, uint16_t port);

#endif

/* Connects to one of many addresses: attempts are staggered over both address families, and the
 * first to succeed is used (RFC 8305, "Happy Eyeballs"). */
#ifndef P3_IO_DIAL_H
#define P3_IO_DIAL_H

#include <pop3/types.h>

#include "io/retired.h"
#include "io/wait.h"

#include <sys/socket.h>

struct addrinfo;

/* Most addresses that are tried, and most attempts at the same time. */
#define P3_DIAL_ADDRESSES 16
#define P3_DIAL_ATTEMPTS  6

typedef struct p3_socket_address {
    struct sockaddr_storage at;
    socklen_t len;
} p3_socket_address;

/* Attempts to connect. Initialize with p3_dial_begin() or p3_dial_begin_unix(). */
typedef struct p3_dial {
    p3_socket_address addresses[P3_DIAL_ADDRESSES];
    size_t count; /* addresses */
    size_t next;  /* the first that has not been tried */
    struct {
        int fd;
        size_t address;
    } attempts[P3_DIAL_ATTEMPTS];
    size_t under_way;
    int64_t next_at; /* when the next attempt starts even if none has failed */
    p3_socket_address local;
    bool have_local;     /* bind to `local` before connecting */
    int error;           /* errno of the last attempt that failed */
    p3_retired *retired; /* gets the sockets to close; NULL: they are closed at once */
    /* Begins an attempt, as pop3_connect_fn does; NULL: socket(2) and connect(2). */
    int (*connect)(void *ctx, const struct sockaddr_storage *to,
                   const struct sockaddr_storage *from);
    void *connect_ctx;
} p3_dial;

/* Takes the addresses of a resolution, interleaved by family. */
void p3_dial_begin(p3_dial *d, const struct addrinfo *list);

/* Sets the numeric local address to connect from, and removes the addresses of the other family.
 * False when it is not an address. */
bool p3_dial_bind(p3_dial *d, const char *numeric);

/* The one address of a Unix-domain socket. False when the path is too long. */
bool p3_dial_begin_unix(p3_dial *d, const char *path);

/* Starts and checks attempts. POP3_PENDING; POP3_OK with the connected socket in *fd and the
 * address it is connected to in *peer (which lives as long as d); POP3_ERR_CONNECT with d->error.
 */
pop3_status p3_dial_step(p3_dial *d, int64_t now, int *fd, const p3_socket_address **peer);

/* Adds the sockets to wait on; returns the point in time at which to step anyway. */
int64_t p3_dial_waits(const p3_dial *d, p3_wait_set *set);

/* Gives up all attempts. */
void p3_dial_end(p3_dial *d);

/* An address as text, such as "127.0.0.1:110" or "[::1]:110". */
void p3_socket_address_text(const p3_socket_address *a, char *out, size_t size);

#endif

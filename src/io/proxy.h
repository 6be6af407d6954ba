/* Connects to the server through a proxy: SOCKS5 (RFC 1928, RFC 1929), SOCKS4a, HTTP CONNECT (RFC
 * 9110 §9.3.6). The proxy resolves the server's name. proxy.c does the input and output; each
 * protocol is a state machine in its own file. It gets exactly the octets of a reply, because those
 * after it are the server's. */
#ifndef P3_IO_PROXY_H
#define P3_IO_PROXY_H

#include <pop3/types.h>

#include "core/octets.h"

/* Octets of the longest reply: the header of an HTTP response. */
#define P3_PROXY_REPLY 8192

typedef struct p3_proxy p3_proxy;

/* Processes p->in, which has p->need octets; sets p->out to the octets to send, and p->need to the
 * total length of the next reply (which is appended, unless p->in_len is set to 0). POP3_PENDING;
 * POP3_OK when the proxy has connected; otherwise a failure, with p->why. */
typedef pop3_status (*p3_proxy_next)(p3_proxy *p);

struct p3_proxy {
    const char *kind; /* "SOCKS5" */
    p3_proxy_next next;
    const char *host; /* the server's name or address; these are the caller's strings */
    uint16_t port;
    const char *user; /* or NULL */
    const char *password;
    int stage;     /* belongs to the protocol */
    p3_octets out; /* octets to send; wiped, because they may contain the password */
    size_t sent;   /* of `out` */
    size_t need;   /* total length of the reply, as far as it is known */
    size_t in_len; /* received octets of it */
    int sys_errno; /* errno of a failure, as of connect(2), or 0 */
    char why[256]; /* description of a failure */
    unsigned char in[P3_PROXY_REPLY + 1];
};

/* Creates an exchange with a proxy; NULL when out of memory. `begin` is one of the functions below.
 */
p3_proxy *p3_proxy_new(pop3_status (*begin)(p3_proxy *p), const char *host, uint16_t port,
                       const char *user, const char *password);

/* Wipes and frees. NULL does nothing. */
void p3_proxy_free(p3_proxy *p);

/* Continues as far as possible without waiting. POP3_PENDING, POP3_OK, or a failure with p->why and
 * p->sys_errno. */
pop3_status p3_proxy_step(p3_proxy *p, int fd);

/* Whether octets must be sent; otherwise a reply is awaited. */
bool p3_proxy_wants_write(const p3_proxy *p);

/* The beginnings of the protocols: set kind, next, out and need. POP3_PENDING or POP3_ERR_MEMORY.
 */
pop3_status p3_proxy_socks5(p3_proxy *p);
pop3_status p3_proxy_socks4(p3_proxy *p);
pop3_status p3_proxy_http(p3_proxy *p);

/* For the protocols: records a failure; returns status. */
pop3_status p3_proxy_fail(p3_proxy *p, pop3_status status, int sys_errno, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* For the protocols: waits for a reply of n octets after `out` has been sent. */
pop3_status p3_proxy_await(p3_proxy *p, size_t n);

#endif

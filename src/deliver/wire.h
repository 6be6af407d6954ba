/* The octets to and from a server that mail is sent to: over a socket, or over a connection on
 * which libcurl has set up TLS and logged in. It blocks, with deadlines, so it is used in a thread
 * that delivers. */
#ifndef P3_DELIVER_WIRE_H
#define P3_DELIVER_WIRE_H

#include <errno.h>
#include <stddef.h>
#include <sys/types.h>

#include "deliver/server_options.h"
#include "deliver/server_url.h"

typedef struct p3_wire p3_wire;

/* How libcurl logs in with a protocol. */
typedef struct p3_wire_protocol {
    const char *name;      /* for messages: "IMAP" */
    const char *scheme;    /* libcurl's: "imap" */
    const char *starttls;  /* what to set for STARTTLS instead of TLS; NULL: nothing */
    const char *setting;   /* the prefix of its settings: "imap-" */
    const char *tries[2];  /* texts in commands that send a secret */
    const char *later;     /* the text in a reply that refuses a login temporarily */
    bool has_tag;          /* replies begin with a tag */
    const char *passwords; /* mechanisms, in libcurl's terms, to try before any other */
} p3_wire_protocol;

/* Connects. NULL, with the problem. */
p3_wire *p3_wire_dial(const p3_server_address *to, const char *protocol, p3_problem *why);

/* Connects with TLS, and logs in, unless the URL has no user. NULL, with the problem. */
p3_wire *p3_wire_log_in(const p3_server_url *to, const p3_server_options *options,
                        const p3_wire_protocol *protocol, p3_problem *why);

/* Ends a text from the server where it repeats a part of the secret of the login. */
void p3_wire_hide(const p3_wire *w, char *text);

/* Sets up TLS on an existing connection, for a server of that name, and verifies its certificate;
 * does not use `tries` and similar fields of the protocol. False, with the problem; the connection
 * has ended then. */
bool p3_wire_encrypt(p3_wire *w, const p3_server_address *to, const char *ca_file,
                     const p3_wire_protocol *protocol, p3_problem *why);

/* Sends all octets, until a time of p3_clock_ms(). False with errno. */
bool p3_wire_send(p3_wire *w, const char *data, size_t len, int64_t until);

/* Receives some octets, until a time of p3_clock_ms(). 0 at the end; -1 with errno. */
ssize_t p3_wire_receive(p3_wire *w, char *out, size_t room, int64_t until);

/* Octets that have been received and not used. All zero at first. */
typedef struct p3_wire_input {
    size_t at, used;
    char octets[16 * 1024];
} p3_wire_input;

/* The next octet, or -1 with errno, which is 0 at the end of the connection. */
static inline int p3_wire_octet(p3_wire *w, p3_wire_input *in, int64_t until)
{
    if (in->at == in->used) {
        ssize_t n = p3_wire_receive(w, in->octets, sizeof in->octets, until);
        if (n <= 0) {
            errno = n == 0 ? 0 : errno;
            return -1;
        }
        in->used = (size_t)n;
        in->at = 0;
    }
    return (unsigned char)in->octets[in->at++];
}

/* Whether there is something to receive, including the end of the connection. */
bool p3_wire_has_spoken(p3_wire *w);

/* Sends octets without waiting. */
void p3_wire_say(p3_wire *w, const char *data, size_t len);

/* NULL does nothing. */
void p3_wire_close(p3_wire *w);

#endif

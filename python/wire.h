/* The way octets go between a connection's socket and us. Where the socket is Python's own, and
 * nobody has replaced anything on the way, they go by its descriptor, or for TLS by the C object in
 * it: nothing of Python's buffers what these bring. Everything else goes by methods. */
#ifndef CPOPLIB_WIRE_H
#define CPOPLIB_WIRE_H

#include "block.h"

typedef struct cpoplib_wire {
    PyObject *sock; /* a new reference: a socket.socket, or an ssl.SSLSocket */
    PyObject *tls;  /* its _ssl._SSLSocket, a new reference, or NULL */
    int fd;
    int64_t timeout; /* microseconds for each octet or for what is sent at once; -1: none */
} cpoplib_wire;

/* Whether there is such a short way to a socket: 1 with *wire filled; 0 if methods must be called;
 * -1 with an exception. */
int cpoplib_wire_open(const cpoplib_state *state, PyObject *sock, cpoplib_wire *wire);
void cpoplib_wire_done(cpoplib_wire *wire);

/* As sock.recv_into(): reads once, into the block's octets from its shown_from on. With octets to
 * send, in `line`, a bytes object or NULL, these go out first, as by sock.sendall(). Looks for the
 * answer a moment before it sleeps if `look`, and leaves in it whether that came at once; over TLS
 * that makes sense with a line only. Returns how many octets came; 0 at the end of input; -1 with
 * an exception. *sent, if not NULL, is whether all of the line went out. */
Py_ssize_t cpoplib_wire_exchange(const cpoplib_state *state, const cpoplib_wire *wire,
                                 PyObject *line, bool *sent, cpoplib_block *block, bool *look);

/* As sock.sendall(). 0, or -1 with an exception. */
int cpoplib_wire_send(const cpoplib_state *state, const cpoplib_wire *wire, PyObject *octets);

/* Remembers what socket.socket has before anybody replaces it. 0, or -1 with an exception. */
int cpoplib_add_wire(cpoplib_state *state);

#endif

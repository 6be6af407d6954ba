/* How octets are transferred between a connection's socket and us. If the socket is Python's own,
 * and nothing has been replaced, the descriptor is used directly, or for TLS the C object in it: no
 * buffer of Python's is in between. Otherwise methods are called. */
#ifndef CPOPLIB_WIRE_H
#define CPOPLIB_WIRE_H

#include "block.h"

typedef struct cpoplib_wire {
    PyObject *sock; /* a new reference: a socket.socket, or an ssl.SSLSocket */
    PyObject *tls;  /* its _ssl._SSLSocket, a new reference, or NULL */
    int fd;
    int64_t timeout; /* microseconds for each octet, or for what is sent at once; -1: none */
} cpoplib_wire;

/* Whether the direct way is available: 1 with *wire filled in; 0 if methods must be called; -1 with
 * an exception. */
int cpoplib_wire_open(const cpoplib_state *state, PyObject *sock, cpoplib_wire *wire);
void cpoplib_wire_done(cpoplib_wire *wire);

/* Like sock.recv_into(): reads once, into the block's octets from shown_from on. `line`, a bytes
 * object or NULL, is sent first, like by sock.sendall(). If `look` is set, polls for a moment
 * before sleeping, and sets it to whether the answer came at once; over TLS that makes sense with a
 * line only. Returns the number of octets; 0 at the end of input; -1 with an exception. *sent, if
 * not NULL, is whether the whole line was sent. */
Py_ssize_t cpoplib_wire_exchange(const cpoplib_state *state, const cpoplib_wire *wire,
                                 PyObject *line, bool *sent, cpoplib_block *block, bool *look);

/* Like sock.sendall(). 0, or -1 with an exception. */
int cpoplib_wire_send(const cpoplib_state *state, const cpoplib_wire *wire, PyObject *octets);

/* Stores what socket.socket has before anybody replaces it. 0, or -1 with an exception. */
int cpoplib_add_wire(cpoplib_state *state);

#endif

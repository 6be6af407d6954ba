/* The file of a connection: what POP3.file is. It takes the place of the io.BufferedReader that
 * socket.makefile() returns, reads the socket, or through the raw file, into a larger buffer, and
 * lets the extension look into that buffer. Everything else it leaves to such a one. */
#ifndef CPOPLIB_READER_H
#define CPOPLIB_READER_H

#include "wire.h"

#include "core/busy_wait.h"

typedef struct cpoplib_reader {
    PyObject_HEAD PyObject *dict; /* attributes that somebody set on the instance */
    PyObject *weakrefs;
    PyObject *inner;      /* the io.BufferedReader; its own buffer of one octet stays empty */
    PyObject *raw;        /* inner.raw */
    cpoplib_block *block; /* the buffer, `cap` octets: sockets read into it; NULL while cap is 0 */
    char *data;           /* block's octets */
    Py_ssize_t cap;
    Py_ssize_t start; /* octets not yet handed out are [start, end) */
    Py_ssize_t end;
    bool filled; /* the latest read filled the buffer */
    bool large;  /* long replies come: a buffer that was given back begins large the next time */
    atomic_bool busy; /* somebody reads, perhaps without the GIL: the rest is his alone */
    atomic_bool closed;
    p3_busy_wait busy_wait; /* whether it pays to look for octets before sleeping */
    bool torn; /* a read failed in a way that may have lost octets: there is no reading on */
} cpoplib_reader;

/* Makes the reader that takes the place of an io.BufferedReader of that file. */
PyObject *cpoplib_reader_new(const cpoplib_state *state, PyObject *raw);

/* Whether object is a reader that nobody has set attributes on: its C functions may be used in
 * place of its methods. */
bool cpoplib_reader_is_plain(const cpoplib_state *state, PyObject *object);

/* Marks the reader as in use until cpoplib_reader_end(). False with an exception when it is in use
 * already, or closed; `doing` begins that message. */
bool cpoplib_reader_begin(cpoplib_reader *r, const char *doing);

/* The same, also of a closed file, for a use of its socket: false when it is in use. */
bool cpoplib_reader_hold(cpoplib_reader *r);

/* Ends that. Closes the file below when the reader was closed in between: until then the number of
 * the socket must not come to be another's. */
void cpoplib_reader_end(cpoplib_reader *r);

/* While the reader is held: closes the file below. As its close(). */
PyObject *cpoplib_reader_close_raw(cpoplib_reader *r);

/* At the end of a reply, outside of begin and end: gives a large buffer back if it is empty, so
 * that a connection that waits takes little memory. */
void cpoplib_reader_rest(cpoplib_reader *r);

/* Between begin and end: sends a command line, a bytes object, and reads once behind it, by the
 * shortest way. Returns 1 when that was done, with *sent; 0 when that way is closed and nothing was
 * done; -1 with an exception, with *sent. `sock` is where the client would send. */
int cpoplib_reader_exchange(cpoplib_reader *r, PyObject *sock, PyObject *line, bool *sent);

/* Between begin and end: reads more octets behind those there are, which may move them. Returns how
 * many; 0 at the end of input, or when a non-blocking socket has none; -1 with an exception. */
Py_ssize_t cpoplib_reader_fill(cpoplib_reader *r);

/* Between begin and end, when a reply has come in part and there is nothing to send: acknowledges
 * that part, as a server with Nagle's algorithm on holds the rest back until then, and the system
 * waits 40 ms for something to send along. False with an exception that is not an Exception
 * (KeyboardInterrupt). */
bool cpoplib_reader_acknowledge(const cpoplib_reader *r);

/* One line with its end, at most `limit` octets of it (-1: no limit); empty at the end of input. */
PyObject *cpoplib_reader_readline(cpoplib_reader *r, Py_ssize_t limit);

int cpoplib_add_reader(PyObject *module, cpoplib_state *state);

#endif

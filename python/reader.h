/* The file of a connection: POP3.file. It replaces the io.BufferedReader that socket.makefile()
 * returns, reads the socket, or through the raw file, into a larger buffer, and lets the extension
 * access that buffer. Everything else is done by an io.BufferedReader. */
#ifndef CPOPLIB_READER_H
#define CPOPLIB_READER_H

#include "wire.h"

#include "core/busy_wait.h"

typedef struct cpoplib_reader {
    PyObject_HEAD PyObject *dict; /* attributes that were set on the instance */
    PyObject *weakrefs;
    PyObject *inner;      /* the io.BufferedReader; its own buffer of one octet stays empty */
    PyObject *raw;        /* inner.raw */
    cpoplib_block *block; /* the buffer, `cap` octets: sockets read into it; NULL while cap is 0 */
    char *data;           /* block's octets */
    Py_ssize_t cap;
    Py_ssize_t start; /* unread octets are [start, end) */
    Py_ssize_t end;
    bool filled;      /* the last read filled the buffer */
    bool large;       /* long replies are expected: allocate a large buffer at once */
    atomic_bool busy; /* in use by a thread, perhaps without the GIL, which owns the rest */
    atomic_bool closed;
    p3_busy_wait busy_wait; /* whether to poll before sleeping */
    bool torn;              /* a failed read may have lost octets: no further reads */
} cpoplib_reader;

/* Creates the reader that replaces an io.BufferedReader of that file. */
PyObject *cpoplib_reader_new(const cpoplib_state *state, PyObject *raw);

/* Whether object is a reader without attributes set on it: its C functions may be used instead of
 * its methods. */
bool cpoplib_reader_is_plain(const cpoplib_state *state, PyObject *object);

/* Marks the reader as in use until cpoplib_reader_end(). False with an exception if it is in use or
 * closed; `doing` begins the message. */
bool cpoplib_reader_begin(cpoplib_reader *r, const char *doing);

/* The same, also for a closed file, to use its socket: false if it is in use. */
bool cpoplib_reader_hold(cpoplib_reader *r);

/* Ends the use. Closes the underlying file if the reader was closed meanwhile: until then the
 * socket's number must not be reused. */
void cpoplib_reader_end(cpoplib_reader *r);

/* While the reader is in use: closes the underlying file. Like its close(). */
PyObject *cpoplib_reader_close_raw(cpoplib_reader *r);

/* At the end of a reply, outside of begin and end: frees a large buffer if it is empty, so that an
 * idle connection uses little memory. */
void cpoplib_reader_rest(cpoplib_reader *r);

/* Between begin and end: sends a command line, a bytes object, and reads once after it, by the
 * direct way. Returns 1 when that was done, with *sent; 0 when that way is not available and
 * nothing was done; -1 with an exception, with *sent. `sock` is where the client would send. */
int cpoplib_reader_exchange(cpoplib_reader *r, PyObject *sock, PyObject *line, bool *sent);

/* Between begin and end: reads more octets after the present ones, which may move. Returns their
 * number; 0 at the end of input, or when a non-blocking socket has none; -1 with an exception. */
Py_ssize_t cpoplib_reader_fill(cpoplib_reader *r);

/* Between begin and end, when a part of a reply has been received and there is nothing to send:
 * acknowledges that part, because a server with Nagle's algorithm delays the rest until then, and
 * the system delays acknowledgements by 40 ms. False with an exception that is not an Exception
 * (KeyboardInterrupt). */
bool cpoplib_reader_acknowledge(const cpoplib_reader *r);

/* One line with its end, at most `limit` octets of it (-1: no limit); empty at the end of input. */
PyObject *cpoplib_reader_readline(cpoplib_reader *r, Py_ssize_t limit);

int cpoplib_add_reader(PyObject *module, cpoplib_state *state);

#endif

/* The buffer of a connection's file: filled by the raw file's readinto(), emptied by lines. */
#include "reader.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

/* A buffer begins small, since most replies are, and so that a connection takes no more memory than
 * poplib's with its 8 KiB; it grows when a read fills it. */
enum { FIRST_CAP = 7 * 1024, FULL_CAP = 80 * 1024 };

/* Gives the reader a buffer of that size and moves what is unread there. */
static bool make_room(cpoplib_reader *r, Py_ssize_t cap)
{
    cpoplib_block *block = cpoplib_block_new(cpoplib_state_of((PyObject *)r), cap);
    if (block == NULL)
        return false;
    Py_ssize_t unread = r->end - r->start;
    if (unread > 0)
        memcpy(block->data, r->data + r->start, (size_t)unread);
    Py_XDECREF(r->block);
    r->block = block;
    r->data = block->data;
    r->cap = cap;
    r->start = 0;
    r->end = unread;
    return true;
}

/* Sees to it that there is room behind what is unread, and enough for the next read. */
static bool prepare(cpoplib_reader *r)
{
    Py_ssize_t unread = r->end - r->start;
    if (unread * 2 > r->cap)
        return make_room(r, r->cap > PY_SSIZE_T_MAX / 2 ? PY_SSIZE_T_MAX : r->cap * 2);
    bool outgrown = r->cap > FULL_CAP && unread * 2 <= FULL_CAP; /* an over-long line has passed */
    bool short_of = r->cap < FULL_CAP && r->filled;
    if (r->cap == 0)
        return make_room(r, r->large ? FULL_CAP : FIRST_CAP);
    if (outgrown || short_of) {
        r->large = true;
        return make_room(r, FULL_CAP);
    }
    if (r->start > 0) {
        memmove(r->data, r->data + r->start, (size_t)unread);
        r->start = 0;
        r->end = unread;
    }
    return true;
}

bool cpoplib_reader_acknowledge(const cpoplib_reader *r)
{
#ifdef TCP_QUICKACK
    if (r->filled)
        return true; /* more is there already */
    int on = 1;
    int fd = PyObject_AsFileDescriptor(r->raw);
    if (fd >= 0)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
    else if (!PyErr_ExceptionMatches(PyExc_Exception))
        return false;
    else
        PyErr_Clear(); /* not a file of the system's: nothing to speed up */
#else
    (void)r;
#endif
    return true;
}

Py_ssize_t cpoplib_reader_fill(cpoplib_reader *r)
{
    if (r->torn) {
        PyErr_SetString(PyExc_OSError, "cannot read on: octets were lost in a read that failed");
        return -1;
    }
    if (!prepare(r))
        return -1;
    r->block->shown_from = r->end;
    PyObject *room = PyMemoryView_FromObject((PyObject *)r->block);
    if (room == NULL)
        return -1;
    const cpoplib_state *state = cpoplib_state_of((PyObject *)r);
    PyObject *result = PyObject_CallMethodOneArg(r->raw, state->names[NAME_READINTO], room);
    Py_DECREF(room);
    if (result == NULL) {
        /* An OSError comes in place of octets, MemoryError or KeyboardInterrupt perhaps behind
         * them. */
        r->torn = !PyErr_ExceptionMatches(PyExc_OSError);
        return -1;
    }
    if (result == Py_None) { /* a socket that does not block has nothing now */
        Py_DECREF(result);
        return 0;
    }
    Py_ssize_t n = PyNumber_AsSsize_t(result, PyExc_ValueError);
    Py_DECREF(result);
    if (n == -1 && PyErr_Occurred())
        return -1;
    if (n < 0 || n > r->cap - r->end) {
        PyErr_Format(PyExc_OSError,
                     "raw readinto() returned invalid length %zd (should have been "
                     "between 0 and %zd)",
                     n, r->cap - r->end);
        return -1;
    }
    r->end += n;
    r->filled = r->end == r->cap;
    return n;
}

bool cpoplib_reader_begin(cpoplib_reader *r, const char *doing)
{
    if (r->busy) {
        PyErr_SetString(PyExc_RuntimeError, "the connection's file is being read already");
        return false;
    }
    if (r->closed) {
        PyErr_Format(PyExc_ValueError, "%s of closed file", doing);
        return false;
    }
    r->busy = true;
    return true;
}

void cpoplib_reader_end(cpoplib_reader *r)
{
    r->busy = false;
}

void cpoplib_reader_rest(cpoplib_reader *r)
{
    if (r->busy || r->start != r->end || r->cap <= FIRST_CAP)
        return;
    Py_CLEAR(r->block);
    r->data = NULL;
    r->cap = r->start = r->end = 0;
    r->filled = false;
}

/* Octets that the line at the buffer's start has, of at most `limit`; 0 when it is not complete.
 * The first `scanned` hold no LF. */
static Py_ssize_t line_length(const cpoplib_reader *r, Py_ssize_t limit, Py_ssize_t scanned)
{
    Py_ssize_t have = r->end - r->start;
    Py_ssize_t look = limit >= 0 && limit < have ? limit : have;
    const char *from = r->data + r->start;
    const char *lf = look > scanned ? memchr(from + scanned, '\n', (size_t)(look - scanned)) : NULL;
    if (lf != NULL)
        return lf - from + 1;
    return look == limit ? look : 0;
}

PyObject *cpoplib_reader_readline(cpoplib_reader *r, Py_ssize_t limit)
{
    if (!cpoplib_reader_begin(r, "readline"))
        return NULL;
    PyObject *line = NULL;
    Py_ssize_t scanned = 0, n = 0;
    while (limit != 0 && (n = line_length(r, limit, scanned)) == 0) {
        if (scanned < r->end - r->start && !cpoplib_reader_acknowledge(r))
            goto end;
        scanned = r->end - r->start;
        Py_ssize_t more = cpoplib_reader_fill(r);
        if (more < 0)
            goto end;
        if (more == 0) {
            n = r->end - r->start;
            break;
        }
    }
    line = PyBytes_FromStringAndSize(n > 0 ? r->data + r->start : NULL, n);
    if (line != NULL)
        r->start += n;
end:
    cpoplib_reader_end(r);
    if (r->cap > FIRST_CAP && r->start == r->end) {
        r->large = false; /* this was a short reply, the next may be one as well */
        cpoplib_reader_rest(r);
    }
    return line;
}

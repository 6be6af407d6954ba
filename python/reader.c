/* The buffer of a connection's file: filled by the raw file's readinto(), consumed in lines. */
#include "reader.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

/* A buffer is small at first, because most replies are, and so that a connection uses no more
 * memory than poplib's with its 8 KiB; it grows when a read fills it. */
enum { FIRST_CAP = 7 * 1024, FULL_CAP = 80 * 1024 };

/* Gives the reader a buffer of that size, and moves unread octets to it. */
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

/* Ensures that there is room after the unread octets for the next read. */
static bool prepare(cpoplib_reader *r)
{
    Py_ssize_t unread = r->end - r->start;
    if (unread * 2 > r->cap)
        return make_room(r, r->cap > PY_SSIZE_T_MAX / 2 ? PY_SSIZE_T_MAX : r->cap * 2);
    bool outgrown =
        r->cap > FULL_CAP && unread * 2 <= FULL_CAP; /* an over-long line has been read */
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
    const cpoplib_state *state = cpoplib_state_of((PyObject *)r);
    PyObject *sock = Py_IS_TYPE(r->raw, state->file_type)
                         ? cpoplib_get(state, r->raw, NAME_RAW_SOCK)
                         : cpoplib_new_reference(r->raw);
    int fd = sock == NULL ? -1 : PyObject_AsFileDescriptor(sock);
    Py_XDECREF(sock);
    if (fd >= 0)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
    else if (!PyErr_ExceptionMatches(PyExc_Exception))
        return false;
    else
        PyErr_Clear(); /* not a file of the system: use methods */
#else
    (void)r;
#endif
    return true;
}

/* The direct way to the socket of the raw file: as cpoplib_wire_open(). */
static int open_wire(const cpoplib_state *state, const cpoplib_reader *r, cpoplib_wire *wire)
{
    if (state->file_type == NULL || !Py_IS_TYPE(r->raw, state->file_type))
        return 0;
    int result = -1;
    PyObject *sock = NULL, *over = NULL;
    PyObject *readinto = cpoplib_get(state, r->raw, NAME_READINTO);
    if (readinto != NULL)
        over = cpoplib_get(state, r->raw, NAME_TIMEOUT_OCCURRED);
    if (over != NULL)
        sock = cpoplib_get(state, r->raw, NAME_RAW_SOCK);
    if (sock != NULL)
        result = over == Py_False && PyMethod_Check(readinto) &&
                 PyMethod_GET_FUNCTION(readinto) == state->file_readinto &&
                 PyMethod_GET_SELF(readinto) == r->raw;
    if (result > 0)
        result = cpoplib_wire_open(state, sock, wire);
    if (result < 0 && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear();
        result = 0;
    }
    Py_XDECREF(sock);
    Py_XDECREF(over);
    Py_XDECREF(readinto);
    return result;
}

static Py_ssize_t count_in(cpoplib_reader *r, Py_ssize_t n)
{
    r->end += n;
    r->filled = r->end == r->cap;
    return n;
}

/* A read through Python's objects failed: an OSError replaces octets, a MemoryError or
 * KeyboardInterrupt may follow some. */
static Py_ssize_t fail_in_python(cpoplib_reader *r)
{
    r->torn = !PyErr_ExceptionMatches(PyExc_OSError);
    return -1;
}

/* Does what SocketIO does after a timeout: it refuses further reads. */
static void note_timeout(const cpoplib_state *state, const cpoplib_reader *r)
{
    if (!PyErr_ExceptionMatches(state->timeout_error))
        return;
    PyObject *exception = cpoplib_take_exception();
    if (PyObject_SetAttr(r->raw, state->names[NAME_TIMEOUT_OCCURRED], Py_True) < 0)
        PyErr_Clear();
    cpoplib_restore_exception(exception);
}

static Py_ssize_t read_by_wire(const cpoplib_state *state, cpoplib_reader *r,
                               const cpoplib_wire *wire, PyObject *line, bool *sent)
{
    /* Within a reply, the object for TLS may hold octets that are not in the socket any more. */
    bool may_look = state->look && (wire->tls == NULL || line != NULL);
    bool due = may_look && p3_busy_wait_is_due(&r->busy_wait), look = due;
    r->block->shown_from = r->end;
    Py_ssize_t n = cpoplib_wire_exchange(state, wire, line, sent, r->block, &look);
    if (due)
        p3_busy_wait_over(&r->busy_wait, look);
    if (n < 0 && !*sent)
        return -1; /* nothing has been read */
    if (n >= 0)
        return count_in(r, n);
    note_timeout(state, r);
    return wire->tls != NULL ? fail_in_python(r) : -1;
}

int cpoplib_reader_exchange(cpoplib_reader *r, PyObject *sock, PyObject *line, bool *sent)
{
    const cpoplib_state *state = cpoplib_state_of((PyObject *)r);
    cpoplib_wire wire;
    *sent = false;
    if (r->torn || r->start != r->end)
        return 0;
    int result = open_wire(state, r, &wire);
    if (result <= 0)
        return result;
    if (wire.sock != sock)
        result = 0;
    else if (!prepare(r))
        result = -1;
    else
        result = read_by_wire(state, r, &wire, line, sent) < 0 ? -1 : 1;
    cpoplib_wire_done(&wire);
    return result;
}

static Py_ssize_t read_by_method(const cpoplib_state *state, cpoplib_reader *r)
{
    r->block->shown_from = r->end;
    PyObject *room = PyMemoryView_FromObject((PyObject *)r->block);
    if (room == NULL)
        return -1;
    PyObject *result = PyObject_CallMethodOneArg(r->raw, state->names[NAME_READINTO], room);
    Py_DECREF(room);
    if (result == NULL)
        return fail_in_python(r);
    if (result == Py_None) { /* a non-blocking socket without data */
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
    return count_in(r, n);
}

Py_ssize_t cpoplib_reader_fill(cpoplib_reader *r)
{
    if (r->torn) {
        PyErr_SetString(PyExc_OSError, "cannot read on: octets were lost in a read that failed");
        return -1;
    }
    if (!prepare(r))
        return -1;
    const cpoplib_state *state = cpoplib_state_of((PyObject *)r);
    cpoplib_wire wire;
    int short_way = open_wire(state, r, &wire);
    if (short_way < 0)
        return -1;
    if (short_way == 0)
        return read_by_method(state, r);
    bool sent;
    Py_ssize_t n = read_by_wire(state, r, &wire, NULL, &sent);
    cpoplib_wire_done(&wire);
    return n;
}

/* Closes the underlying file; keeps the current exception. */
static void close_raw(cpoplib_reader *r)
{
    PyObject *earlier = PyErr_Occurred() ? cpoplib_take_exception() : NULL;
    PyObject *done = cpoplib_reader_close_raw(r);
    if (done == NULL)
        PyErr_WriteUnraisable((PyObject *)r);
    Py_XDECREF(done);
    if (earlier != NULL)
        cpoplib_restore_exception(earlier);
}

PyObject *cpoplib_reader_close_raw(cpoplib_reader *r)
{
    const cpoplib_state *state = cpoplib_state_of((PyObject *)r);
    PyObject *inner = cpoplib_field((PyObject *)r, &r->inner);
    PyObject *done =
        PyObject_CallMethodNoArgs(inner != NULL ? inner : r->raw, state->names[NAME_CLOSE]);
    Py_XDECREF(inner);
    return done;
}

bool cpoplib_reader_hold(cpoplib_reader *r)
{
    return !atomic_exchange(&r->busy, true);
}

void cpoplib_reader_end(cpoplib_reader *r)
{
    r->busy = false;
    if (r->closed && cpoplib_reader_hold(r)) {
        close_raw(r);
        r->busy = false;
    }
}

bool cpoplib_reader_begin(cpoplib_reader *r, const char *doing)
{
    bool held = cpoplib_reader_hold(r);
    if (held && !r->closed)
        return true;
    if (held)
        cpoplib_reader_end(r);
    if (r->closed)
        PyErr_Format(PyExc_ValueError, "%s of closed file", doing);
    else
        PyErr_SetString(PyExc_RuntimeError, "the connection's file is being read already");
    return false;
}

void cpoplib_reader_rest(cpoplib_reader *r)
{
    if (!cpoplib_reader_hold(r))
        return;
    if (r->start == r->end && r->cap > FIRST_CAP) {
        Py_CLEAR(r->block);
        r->data = NULL;
        r->cap = r->start = r->end = 0;
        r->filled = false;
    }
    cpoplib_reader_end(r);
}

/* The length of the line at the start of the buffer, at most `limit`; 0 when it is incomplete. The
 * first `scanned` octets contain no LF. */
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
    bool short_reply;
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
    short_reply = r->cap > FIRST_CAP && r->start == r->end;
    if (short_reply) /* the next one may be short as well */
        r->large = false;
    cpoplib_reader_end(r);
    if (short_reply)
        cpoplib_reader_rest(r);
    return line;
}

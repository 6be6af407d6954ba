/* Long replies: _getlongresp. poplib spends nearly all of its time here, so lines are split in C,
 * many at a time, if the result is the same as line by line. */
#include "long_reply.h"

#include "client.h"
#include "lines.h"
#include "reader.h"

#include "core/split.h"

#include <string.h>

enum {
    LINES_AT_ONCE = 1024,
    WORTH_THE_GIL = 32 * 1024, /* octets: splitting fewer is faster than releasing the GIL */
    SMALL_OBJECT = 512,        /* octets: larger objects are not in arenas */
#if PY_VERSION_HEX >= 0x030A0000
    ARENA = 1024 * 1024,
#else
    ARENA = 256 * 1024,
#endif
    KEPT_AT_MOST = 16 * 1024 * 1024 / ARENA
};

/* Whether self._getline is POP3's own. -1 with an exception. */
static int getline_is_own(const cpoplib_state *state, PyObject *self)
{
    PyObject *method = cpoplib_get(state, self, NAME_GETLINE);
    if (method == NULL)
        return -1;
    int result = PyMethod_Check(method) && PyMethod_GET_SELF(method) == self &&
                 PyMethod_GET_FUNCTION(method) == state->own[NAME_GETLINE];
    Py_DECREF(method);
    return result;
}

/* The file, if lines may be split in its buffer: _getline is not overridden, the file is ours,
 * lines are not printed, and _MAXLINE is a plain number, which is stored in *longest. Otherwise
 * NULL, with or without an exception. */
static cpoplib_reader *fast_file(const cpoplib_state *state, PyObject *self, size_t *longest)
{
    if (getline_is_own(state, self) <= 0 || cpoplib_debugging(state, self, 1) != 0 ||
        !cpoplib_usual_ends(state))
        return NULL;
    PyObject *bound = cpoplib_global(state, NAME_MAXLINE);
    if (bound == NULL)
        return NULL;
    Py_ssize_t value;
    bool plain = cpoplib_plain_int(bound, &value) && value > 0 && value < PY_SSIZE_T_MAX;
    Py_DECREF(bound);
    if (!plain)
        return NULL;
    *longest = (size_t)value;
    PyObject *file = cpoplib_get(state, self, NAME_FILE);
    if (file == NULL || cpoplib_reader_is_plain(state, file))
        return (cpoplib_reader *)file;
    Py_DECREF(file);
    return NULL;
}

/* A reply whose lines are being split. */
typedef struct gathering {
    const cpoplib_state *state;
    cpoplib_reader *reader;
    p3_split split;
    PyObject *lines;       /* list: the result */
    PyObject *kept;        /* list: see keep_memory() */
    Py_ssize_t since_kept; /* memory of the lines since the last one that was kept, in octets */
} gathering;

/* Splits the contents of the buffer, without the GIL if it is worthwhile. */
static p3_split_result cut(gathering *g)
{
    cpoplib_reader *r = g->reader;
    const char *p = r->data + r->start;
    const char *end = r->data + r->end;
    p3_split_result result;
    if (end - p < WORTH_THE_GIL) {
        result = p3_split_take(&g->split, &p, end);
    } else {
        Py_BEGIN_ALLOW_THREADS result = p3_split_take(&g->split, &p, end);
        Py_END_ALLOW_THREADS
    }
    r->start = p - r->data;
    return result;
}

/* Python returns the memory of small objects to the system arena by arena, as soon as an arena is
 * empty. For a client that processes one message after the other that would be the memory of a
 * message each time, returned and requested again, which is more work than everything else. One
 * line in each arena, kept by the connection until its next long reply, keeps the arenas; all of
 * Python can use them. */
static int keep_memory(gathering *g, PyObject *line)
{
    Py_ssize_t size = PyBytes_GET_SIZE(line) + (Py_ssize_t)sizeof(PyBytesObject);
    if (size > SMALL_OBJECT)
        return 0;
    g->since_kept += size;
    if (g->since_kept < ARENA || PyList_GET_SIZE(g->kept) >= KEPT_AT_MOST)
        return 0;
    g->since_kept = 0;
    return PyList_Append(g->kept, line);
}

/* list.append(line), and takes the reference. With the GIL, nobody changes the list meanwhile, and
 * the line is stored directly if there is room: one call less for each line, which saves up to a
 * tenth of a long message's time. */
static int append(PyObject *list, PyObject *line)
{
#ifndef Py_GIL_DISABLED
    Py_ssize_t size = PyList_GET_SIZE(list);
    if (size < ((PyListObject *)list)->allocated) {
        PyList_SET_ITEM(list, size, line);
        Py_SET_SIZE((PyVarObject *)list, size + 1);
        return 0;
    }
#endif
    int result = PyList_Append(list, line);
    Py_DECREF(line);
    return result;
}

static int append_lines(gathering *g)
{
    for (size_t i = 0; i < g->split.count; i++) {
        pop3_str span = g->split.lines[i];
        PyObject *line = PyBytes_FromStringAndSize(span.data, (Py_ssize_t)span.len);
        if (line == NULL)
            return -1;
        if (append(g->lines, line) < 0 || keep_memory(g, line) < 0)
            return -1;
    }
    return 0;
}

/* Splits lines until the dot. Returns 1 at the dot, 0 when the input ended (the buffer contains the
 * start of a line, or nothing), -1 with an exception. */
static int cut_until_dot(gathering *g)
{
    for (;;) {
        p3_split_result result = cut(g);
        if (append_lines(g) < 0)
            return -1;
        if (result == P3_SPLIT_END)
            return 1;
        if (result == P3_SPLIT_TOO_LONG) {
            /* as far as readline() would have read */
            g->reader->start += (Py_ssize_t)g->split.longest + 1;
            cpoplib_raise_text(g->state, "line too long");
            return -1;
        }
        if (result == P3_SPLIT_MORE) {
            if (!cpoplib_reader_acknowledge(g->reader))
                return -1;
            Py_ssize_t more = cpoplib_reader_fill(g->reader);
            if (more <= 0)
                return more < 0 ? -1 : 0;
        }
    }
}

/* Replaces the kept lines of an earlier reply by those of this one. */
static void change_kept(PyObject *self, PyObject *kept)
{
    cpoplib_client *client = (cpoplib_client *)self;
    if (kept != NULL && PyList_GET_SIZE(kept) > 0)
        cpoplib_keep(client, cpoplib_new_reference(kept));
}

/* Takes complete lines from our own file up to the dot. As cut_until_dot(). */
static int take_fast(const cpoplib_state *state, PyObject *self, cpoplib_reader *r, size_t longest,
                     PyObject *list, PyObject **octets)
{
    if (!cpoplib_reader_begin(r, "readline"))
        return -1;
    int result = -1;
    gathering g = {.state = state, .reader = r, .lines = list};
    g.split = (p3_split){.cap = LINES_AT_ONCE, .longest = longest};
    g.split.lines = PyMem_New(pop3_str, LINES_AT_ONCE);
    g.kept = g.split.lines == NULL ? PyErr_NoMemory() : PyList_New(0);
    if (g.kept != NULL)
        result = cut_until_dot(&g);
    change_kept(self, g.kept);
    Py_XDECREF(g.kept);
    PyMem_Free(g.split.lines);
    cpoplib_reader_end(r);
    cpoplib_reader_rest(r);
    PyObject *sum = result < 0 ? NULL : PyLong_FromUnsignedLongLong(g.split.octets);
    if (sum == NULL)
        return -1;
    Py_DECREF(*octets);
    *octets = sum;
    return result;
}

/* Adds a line that _getline() returned: *octets += count, list.append(line), with dot-stuffing
 * undone. Returns 1 when it is the dot, 0 when there are more, -1 with an exception. */
static int add_line(const cpoplib_state *state, PyObject *line, PyObject *count, PyObject *list,
                    PyObject **octets)
{
    PyObject *dot = PyBytes_FromString(".");
    int more = dot == NULL ? -1 : PyObject_RichCompareBool(line, dot, Py_NE);
    Py_XDECREF(dot);
    if (more <= 0)
        return more < 0 ? -1 : 1;
    int stuffed = cpoplib_starts_with(state, line, "..");
    if (stuffed < 0)
        return -1;
    PyObject *sum = NULL, *less = NULL, *rest = NULL;
    PyObject *dots = PyLong_FromLong(stuffed);
    if (dots != NULL)
        less = PyNumber_Subtract(count, dots);
    if (less != NULL)
        rest = PySequence_GetSlice(line, stuffed, PY_SSIZE_T_MAX);
    if (rest != NULL)
        sum = PyNumber_Add(*octets, less);
    int result = sum == NULL ? -1 : PyList_Append(list, rest);
    if (sum != NULL) {
        Py_DECREF(*octets);
        *octets = sum;
    }
    Py_XDECREF(rest);
    Py_XDECREF(less);
    Py_XDECREF(dots);
    return result;
}

/* Line by line through _getline(), even if overridden. 0, or -1 with an exception. */
static int take_each(const cpoplib_state *state, PyObject *self, PyObject *list, PyObject **octets)
{
    for (;;) {
        PyObject *line, *count;
        if (cpoplib_next_line(state, self, &line, &count) < 0)
            return -1;
        int result = add_line(state, line, count, list, octets);
        Py_DECREF(line);
        Py_DECREF(count);
        if (result != 0)
            return result < 0 ? -1 : 0;
    }
}

/* All lines after the status line. 0, or -1 with an exception. */
static int take_lines(const cpoplib_state *state, PyObject *self, PyObject *list, PyObject **octets)
{
    size_t longest = 0;
    cpoplib_reader *r = fast_file(state, self, &longest);
    if (r == NULL && PyErr_Occurred())
        return -1;
    int result = 0;
    if (r != NULL) {
        result = take_fast(state, self, r, longest, list, octets);
        Py_DECREF(r);
    }
    if (result == 0) /* not possible, or the end of input, which _getline() reports */
        result = take_each(state, self, list, octets);
    return result < 0 ? -1 : 0;
}

PyObject *cpoplib_rest_of_reply(const cpoplib_state *state, PyObject *self, PyObject *resp)
{
    PyObject *list = PyList_New(0);
    PyObject *octets = PyLong_FromLong(0);
    if (list == NULL || octets == NULL || take_lines(state, self, list, &octets) < 0) {
        Py_XDECREF(octets);
        Py_XDECREF(list);
        Py_DECREF(resp);
        return NULL;
    }
    return Py_BuildValue("NNN", resp, list, octets);
}

PyObject *cpoplib_getlongresp(PyObject *self)
{
    const cpoplib_state *state = cpoplib_state_of(self);
    PyObject *resp = PyObject_CallMethodNoArgs(self, state->names[NAME_GETRESP]);
    return resp == NULL ? NULL : cpoplib_rest_of_reply(state, self, resp);
}

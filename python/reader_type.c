/* The Python side of a connection's file: the methods of a buffered binary file for reading. */
#include "reader.h"

#include <stddef.h>
#include <string.h>

static cpoplib_reader *as_reader(PyObject *self)
{
    return (cpoplib_reader *)self;
}

/* The optional size of most methods: -1 for None or if it is missing. */
static bool parse_size(const char *method, PyObject *const *args, Py_ssize_t nargs,
                       Py_ssize_t *size)
{
    *size = -1;
    if (nargs > 1) {
        PyErr_Format(PyExc_TypeError, "%s expected at most 1 argument, got %zd", method, nargs);
        return false;
    }
    if (nargs == 0 || args[0] == Py_None)
        return true;
    if (!PyIndex_Check(args[0])) {
        PyErr_Format(PyExc_TypeError, "argument should be integer or None, not '%.200s'",
                     Py_TYPE(args[0])->tp_name);
        return false;
    }
    *size = PyNumber_AsSsize_t(args[0], PyExc_OverflowError);
    return *size != -1 || !PyErr_Occurred();
}

static PyObject *reader_readline(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t size;
    if (!parse_size("readline", args, nargs, &size))
        return NULL;
    return cpoplib_reader_readline(as_reader(self), size < 0 ? -1 : size);
}

/* Removes and returns the first n octets of the buffer, which has that many. */
static PyObject *take(cpoplib_reader *r, Py_ssize_t n)
{
    PyObject *octets = PyBytes_FromStringAndSize(n > 0 ? r->data + r->start : NULL, n);
    if (octets != NULL)
        r->start += n;
    return octets;
}

static PyObject *reader_read(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    cpoplib_reader *r = as_reader(self);
    Py_ssize_t size;
    if (!parse_size("read", args, nargs, &size) || !cpoplib_reader_begin(r, "read"))
        return NULL;
    PyObject *octets = NULL;
    while (size < 0 || r->end - r->start < size) {
        Py_ssize_t more = cpoplib_reader_fill(r);
        if (more < 0)
            goto end;
        if (more == 0)
            break;
    }
    Py_ssize_t have = r->end - r->start;
    octets = take(r, size < 0 || size > have ? have : size);
end:
    cpoplib_reader_end(r);
    return octets;
}

/* Reads once if the buffer is empty. Returns the number of octets in it, or -1. */
static Py_ssize_t some(cpoplib_reader *r)
{
    if (r->end == r->start && cpoplib_reader_fill(r) < 0)
        return -1;
    return r->end - r->start;
}

static PyObject *reader_read1(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    cpoplib_reader *r = as_reader(self);
    Py_ssize_t size;
    if (!parse_size("read1", args, nargs, &size) || !cpoplib_reader_begin(r, "read"))
        return NULL;
    Py_ssize_t have = size == 0 ? 0 : some(r);
    PyObject *octets = have < 0 ? NULL : take(r, size < 0 || size > have ? have : size);
    cpoplib_reader_end(r);
    return octets;
}

static PyObject *reader_peek(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    cpoplib_reader *r = as_reader(self);
    Py_ssize_t size;
    if (!parse_size("peek", args, nargs, &size) || !cpoplib_reader_begin(r, "peek"))
        return NULL;
    Py_ssize_t have = some(r);
    PyObject *octets =
        have < 0 ? NULL : PyBytes_FromStringAndSize(have > 0 ? r->data + r->start : NULL, have);
    cpoplib_reader_end(r);
    return octets;
}

/* readinto() and readinto1(): with `full`, waits until the caller's buffer is full. */
static PyObject *read_into(cpoplib_reader *r, PyObject *target, bool full)
{
    Py_buffer buffer;
    if (PyObject_GetBuffer(target, &buffer, PyBUF_WRITABLE) < 0) {
        PyErr_Format(
            PyExc_TypeError, "%s() argument must be read-write bytes-like object, not %.50s",
            full ? "readinto" : "readinto1", target == Py_None ? "None" : Py_TYPE(target)->tp_name);
        return NULL;
    }
    if (!cpoplib_reader_begin(r, "readinto")) {
        PyBuffer_Release(&buffer);
        return NULL;
    }
    PyObject *result = NULL;
    Py_ssize_t done = 0;
    while (done < buffer.len && (full || done == 0)) {
        Py_ssize_t have = some(r);
        if (have < 0)
            goto end;
        if (have == 0)
            break;
        Py_ssize_t n = have < buffer.len - done ? have : buffer.len - done;
        memcpy((char *)buffer.buf + done, r->data + r->start, (size_t)n);
        r->start += n;
        done += n;
    }
    result = PyLong_FromSsize_t(done);
end:
    cpoplib_reader_end(r);
    PyBuffer_Release(&buffer);
    return result;
}

static PyObject *reader_readinto(PyObject *self, PyObject *target)
{
    return read_into(as_reader(self), target, true);
}

static PyObject *reader_readinto1(PyObject *self, PyObject *target)
{
    return read_into(as_reader(self), target, false);
}

static PyObject *reader_readlines(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_ssize_t hint, total = 0;
    if (!parse_size("readlines", args, nargs, &hint))
        return NULL;
    PyObject *lines = PyList_New(0);
    while (lines != NULL && (hint <= 0 || total <= hint)) {
        PyObject *line = cpoplib_reader_readline(as_reader(self), -1);
        Py_ssize_t size = line == NULL ? -1 : PyBytes_GET_SIZE(line);
        if (size < 0 || (size > 0 && PyList_Append(lines, line) < 0))
            Py_CLEAR(lines);
        Py_XDECREF(line);
        if (size <= 0)
            break;
        total += size;
    }
    return lines;
}

static PyObject *reader_next(PyObject *self)
{
    PyObject *line = cpoplib_reader_readline(as_reader(self), -1);
    if (line != NULL && PyBytes_GET_SIZE(line) == 0)
        Py_CLEAR(line);
    return line;
}

static PyObject *reader_close(PyObject *self, PyObject *Py_UNUSED(unused))
{
    cpoplib_reader *r = as_reader(self);
    r->closed = true;
    if (!cpoplib_reader_hold(r)) /* the user of the socket closes the file */
        Py_RETURN_NONE;
    PyObject *done = cpoplib_reader_close_raw(r);
    r->busy = false;
    return done;
}

static PyObject *reader_closed(PyObject *self, void *Py_UNUSED(unused))
{
    cpoplib_reader *r = as_reader(self);
    return r->closed ? PyBool_FromLong(1) : PyObject_GetAttrString(r->raw, "closed");
}

static PyObject *reader_enter(PyObject *self, PyObject *Py_UNUSED(unused))
{
    cpoplib_reader *r = as_reader(self);
    if (r->closed) {
        PyErr_SetString(PyExc_ValueError, "I/O operation on closed file.");
        return NULL;
    }
    Py_INCREF(self);
    return self;
}

static PyObject *reader_exit(PyObject *self, PyObject *const *Py_UNUSED(args),
                             Py_ssize_t Py_UNUSED(nargs))
{
    const cpoplib_state *state = cpoplib_state_of(self);
    return PyObject_CallMethodNoArgs(self, state->names[NAME_CLOSE]);
}

/* The io.BufferedReader, created when it is first needed; a new reference. */
static PyObject *find_inner(cpoplib_reader *r)
{
    PyObject *inner = cpoplib_field((PyObject *)r, &r->inner);
    if (inner != NULL)
        return inner;
    const cpoplib_state *state = cpoplib_state_of((PyObject *)r);
    PyObject *made = PyObject_CallFunction(state->buffered_reader, "Oi", r->raw, 1);
    if (made == NULL)
        return NULL;
    CPOPLIB_LOCK(r);
    if (r->inner == NULL)
        r->inner = cpoplib_new_reference(made);
    inner = cpoplib_new_reference(r->inner); /* another thread may have been first */
    CPOPLIB_UNLOCK();
    Py_DECREF(made);
    return inner;
}

/* Attributes that this type lacks are those of the underlying file: fileno(), readable(), seek(),
 * name ... */
static PyObject *reader_getattr(PyObject *self, PyObject *name)
{
    PyObject *value = PyObject_GenericGetAttr(self, name);
    if (value != NULL || !PyErr_ExceptionMatches(PyExc_AttributeError))
        return value;
    PyErr_Clear();
    PyObject *inner = find_inner(as_reader(self));
    value = inner == NULL ? NULL : PyObject_GetAttr(inner, name);
    Py_XDECREF(inner);
    return value;
}

static PyObject *reader_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<cpoplib._Reader of %R>", as_reader(self)->raw);
}

static int reader_traverse(PyObject *self, visitproc visit, void *arg)
{
    cpoplib_reader *r = as_reader(self);
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(r->dict);
    Py_VISIT(r->inner);
    Py_VISIT(r->raw);
    return 0;
}

static int reader_clear(PyObject *self)
{
    Py_CLEAR(as_reader(self)->dict);
    return 0;
}

static void reader_dealloc(PyObject *self)
{
    cpoplib_reader *r = as_reader(self);
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (r->weakrefs != NULL)
        PyObject_ClearWeakRefs(self);
    Py_CLEAR(r->dict);
    Py_CLEAR(r->block);
    Py_CLEAR(r->inner);
    Py_CLEAR(r->raw); /* closes the file if it is open */
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"readline", (PyCFunction)(void (*)(void))reader_readline, METH_FASTCALL,
     PyDoc_STR("readline(size=-1)\n--\n\nReads one line with its end, at most size octets.")},
    {"read", (PyCFunction)(void (*)(void))reader_read, METH_FASTCALL,
     PyDoc_STR("read(size=-1)\n--\n\nReads size octets, or all until the end of input.")},
    {"read1", (PyCFunction)(void (*)(void))reader_read1, METH_FASTCALL,
     PyDoc_STR("read1(size=-1)\n--\n\nReads at most size octets, with at most one system call.")},
    {"peek", (PyCFunction)(void (*)(void))reader_peek, METH_FASTCALL,
     PyDoc_STR("peek(size=0)\n--\n\nReturns buffered octets without consuming them.")},
    {"readinto", reader_readinto, METH_O,
     PyDoc_STR("readinto(buffer)\n--\n\nFills a buffer; returns the number of octets.")},
    {"readinto1", reader_readinto1, METH_O,
     PyDoc_STR("readinto1(buffer)\n--\n\nThe same with at most one system call.")},
    {"readlines", (PyCFunction)(void (*)(void))reader_readlines, METH_FASTCALL,
     PyDoc_STR(
         "readlines(hint=-1)\n--\n\nReads the remaining lines, or about hint octets of them.")},
    {"close", reader_close, METH_NOARGS, PyDoc_STR("close()\n--\n\nCloses the file.")},
    {"__enter__", reader_enter, METH_NOARGS, NULL},
    {"__exit__", (PyCFunction)(void (*)(void))reader_exit, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(cpoplib_reader, dict), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(cpoplib_reader, weakrefs), READONLY, NULL},
    {"raw", T_OBJECT, offsetof(cpoplib_reader, raw), READONLY,
     PyDoc_STR("The underlying file, without a buffer.")},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef properties[] = {
    {"closed", reader_closed, NULL, PyDoc_STR("Whether the file is closed."), NULL},
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc,
     (void *)PyDoc_STR("The file of a connection: a buffered binary file to read from.")},
    {Py_tp_methods, methods},
    {Py_tp_members, members},
    {Py_tp_getset, properties},
    {Py_tp_getattro, (void *)reader_getattr},
    {Py_tp_repr, (void *)reader_repr},
    {Py_tp_iter, (void *)PyObject_SelfIter},
    {Py_tp_iternext, (void *)reader_next},
    {Py_tp_traverse, (void *)reader_traverse},
    {Py_tp_clear, (void *)reader_clear},
    {Py_tp_dealloc, (void *)reader_dealloc},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "cpoplib._Reader",
    .basicsize = sizeof(cpoplib_reader),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = slots,
};

PyObject *cpoplib_reader_new(const cpoplib_state *state, PyObject *raw)
{
    cpoplib_reader *r = (cpoplib_reader *)state->reader_type->tp_alloc(state->reader_type, 0);
    if (r != NULL)
        r->raw = cpoplib_new_reference(raw);
    return (PyObject *)r;
}

bool cpoplib_reader_is_plain(const cpoplib_state *state, PyObject *object)
{
    if (!Py_IS_TYPE(object, state->reader_type))
        return false;
    PyObject *dict = cpoplib_field(object, &as_reader(object)->dict);
    bool plain = dict == NULL || PyDict_Size(dict) == 0;
    Py_XDECREF(dict);
    return plain;
}

int cpoplib_add_reader(PyObject *module, cpoplib_state *state)
{
    PyObject *io = PyImport_ImportModule("io");
    if (io == NULL)
        return -1;
    int result = -1;
    PyObject *registered = NULL;
    PyObject *base = PyObject_GetAttrString(io, "BufferedIOBase");
    state->buffered_reader = PyObject_GetAttrString(io, "BufferedReader");
    state->reader_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
    if (base == NULL || state->buffered_reader == NULL || state->reader_type == NULL)
        goto end;
    state->reader_type->tp_new = NULL; /* only a connection creates one */
    registered = PyObject_CallMethod(base, "register", "O", state->reader_type);
    result = registered == NULL ? -1 : 0;
end:
    Py_XDECREF(registered);
    Py_XDECREF(base);
    Py_DECREF(io);
    return result;
}

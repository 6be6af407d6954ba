/* cpoplib._Engine: the sans-I/O engine as an object. */
#include "engine_type.h"

#include "extras.h"
#include "message.h"

#include <string.h>

typedef struct cpoplib_engine_object {
    PyObject_HEAD pop3_engine *engine;
    cpoplib_message message; /* of the current command */
    PyObject *lines;         /* list: the lines of the current listing, or NULL */
    PyObject *first;         /* bytes: the status line of a long answer, or NULL */
    atomic_bool
        busy; /* a method is running, and may have started the collector: no other may run */
} cpoplib_engine_object;

static cpoplib_engine_object *as_engine(PyObject *self)
{
    return (cpoplib_engine_object *)self;
}

/* Begins a method; false with RuntimeError while another one is running. */
static bool begin(cpoplib_engine_object *e)
{
    bool idle = !atomic_exchange(&e->busy, true);
    if (!idle)
        PyErr_SetString(PyExc_RuntimeError, "the engine is in use already");
    return idle;
}

/* Ends it with its result. */
static PyObject *end(cpoplib_engine_object *e, PyObject *result)
{
    atomic_store(&e->busy, false);
    return result;
}

static PyObject *octets_of(pop3_str text)
{
    return PyBytes_FromStringAndSize(text.data, (Py_ssize_t)text.len);
}

/* Raises the engine's error, of the session, as an exception. */
static void raise_error(const cpoplib_state *state, pop3_status status, const char *detail)
{
    if (status == POP3_ERR_MEMORY)
        PyErr_NoMemory();
    else if (status == POP3_ERR_CLOSED)
        cpoplib_raise_text(state, "-ERR EOF");
    else if (status == POP3_ERR_ARGUMENT)
        PyErr_SetString(PyExc_ValueError, "the argument cannot be sent");
    else
        cpoplib_raise_text(state,
                           detail != NULL ? detail : "the session does not allow this command now");
}

static PyObject *check(const cpoplib_state *state, pop3_status status)
{
    if (status != POP3_OK) {
        raise_error(state, status, NULL);
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *engine_new(PyTypeObject *type, PyObject *Py_UNUSED(args),
                            PyObject *Py_UNUSED(kwargs))
{
    cpoplib_engine_object *e = (cpoplib_engine_object *)type->tp_alloc(type, 0);
    if (e == NULL)
        return NULL;
    e->message.wanted = true;
    if (pop3_engine_new(&e->engine, NULL) != POP3_OK) {
        Py_DECREF(e);
        return PyErr_NoMemory();
    }
    return (PyObject *)e;
}

static void engine_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    pop3_engine_free(as_engine(self)->engine);
    cpoplib_message_clear(&as_engine(self)->message);
    Py_CLEAR(as_engine(self)->lines);
    Py_CLEAR(as_engine(self)->first);
    type->tp_free(self);
    Py_DECREF(type);
}

/* The command for a keyword, with or without a number: the name is the engine's. */
static pop3_command_kind find_kind(const char *name)
{
    static const struct {
        const char *name;
        pop3_command_kind kind;
    } kinds[] = {
        {"CAPA", POP3_CMD_CAPA}, {"USER", POP3_CMD_USER},       {"PASS", POP3_CMD_PASS},
        {"APOP", POP3_CMD_APOP}, {"RPOP", POP3_CMD_RPOP},       {"AUTH", POP3_CMD_AUTH},
        {"STLS", POP3_CMD_STLS}, {"UTF8", POP3_CMD_UTF8},       {"STAT", POP3_CMD_STAT},
        {"LIST", POP3_CMD_LIST}, {"LIST n", POP3_CMD_LIST_ONE}, {"UIDL", POP3_CMD_UIDL},
        {"RETR", POP3_CMD_RETR}, {"UIDL n", POP3_CMD_UIDL_ONE}, {"TOP", POP3_CMD_TOP},
        {"DELE", POP3_CMD_DELE}, {"RSET", POP3_CMD_RSET},       {"NOOP", POP3_CMD_NOOP},
        {"QUIT", POP3_CMD_QUIT}, {"LANG", POP3_CMD_LANG},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(name, kinds[i].name) == 0)
            return kinds[i].kind;
    }
    return POP3_CMD_NONE;
}

static PyObject *submit(PyObject *self, PyObject *args)
{
    const char *name, *text = NULL, *initial = NULL;
    Py_ssize_t text_len = 0, initial_len = 0;
    unsigned long number = 0, lines = 0;
    pop3_command command = POP3_COMMAND_INIT;
    if (!PyArg_ParseTuple(args, "s|kkz#z#:submit", &name, &number, &lines, &text, &text_len,
                          &initial, &initial_len))
        return NULL;
    command.kind = find_kind(name);
    if (command.kind == POP3_CMD_NONE || number > UINT32_MAX || lines > UINT32_MAX)
        return PyErr_Format(PyExc_ValueError, "%s: the argument cannot be sent", name);
    command.number = (uint32_t)number;
    command.lines = (uint32_t)lines;
    command.text = (pop3_str){text, (size_t)text_len};
    command.initial = (pop3_str){initial, (size_t)initial_len};
    if (!begin(as_engine(self)))
        return NULL;
    pop3_status status = pop3_engine_submit(as_engine(self)->engine, &command);
    return end(as_engine(self), check(cpoplib_state_of(self), status));
}

static PyObject *output(PyObject *self, PyObject *Py_UNUSED(unused))
{
    pop3_engine *engine = as_engine(self)->engine;
    if (!begin(as_engine(self)))
        return NULL;
    size_t len;
    const char *data = pop3_engine_output(engine, &len);
    PyObject *octets = octets_of((pop3_str){data, len});
    if (octets != NULL)
        pop3_engine_sent(engine, len);
    return end(as_engine(self), octets);
}

static int add_line(cpoplib_engine_object *e, pop3_str text)
{
    if (e->lines == NULL)
        e->lines = PyList_New(0);
    PyObject *line = e->lines == NULL ? NULL : octets_of(text);
    int result = line == NULL ? -1 : PyList_Append(e->lines, line);
    Py_XDECREF(line);
    return result;
}

/* The answer to a command besides its status line: the octets of a message, the lines of a listing,
 * or None. A new reference. */
static PyObject *take_answer(cpoplib_engine_object *e, const pop3_event *done)
{
    PyObject *lines = e->lines;
    e->lines = NULL;
    bool message = done->command == POP3_CMD_RETR || done->command == POP3_CMD_TOP;
    if (message && done->status == POP3_OK) {
        Py_XDECREF(lines);
        return cpoplib_message_take(&e->message);
    }
    cpoplib_message_clear(&e->message);
    bool listing = done->command == POP3_CMD_LIST || done->command == POP3_CMD_UIDL ||
                   done->command == POP3_CMD_CAPA;
    if (listing && done->status == POP3_OK)
        return lines != NULL ? lines : PyList_New(0);
    Py_XDECREF(lines);
    return cpoplib_new_reference(Py_None);
}

/* ("greeting" | "done" | "challenge", whether the server agreed, status line, answer). Steals the
 * references. */
static int tell(PyObject *told, const char *what, bool ok, PyObject *line, PyObject *answer)
{
    PyObject *event = NULL;
    if (line != NULL && answer != NULL)
        event = Py_BuildValue("sOOO", what, ok ? Py_True : Py_False, line, answer);
    Py_XDECREF(line);
    Py_XDECREF(answer);
    int result = event == NULL ? -1 : PyList_Append(told, event);
    Py_XDECREF(event);
    return result;
}

/* The status line of a command that has ended. */
static PyObject *take_line(cpoplib_engine_object *e, const pop3_event *done)
{
    PyObject *first = e->first;
    e->first = NULL;
    if (first != NULL && done->reply.line.len == 0)
        return first;
    Py_XDECREF(first);
    return octets_of(done->reply.line);
}

/* Processes an event. A command that ends with the connection is not reported: the error is. */
static int take_event(cpoplib_engine_object *e, const pop3_event *event, PyObject *told)
{
    bool over = event->status == POP3_OK || event->status == POP3_ERR_REFUSED;
    switch (event->kind) {
    case POP3_EVENT_BODY:
        return cpoplib_message_add(cpoplib_state_of((PyObject *)e), &e->message, &event->data, 1);
    case POP3_EVENT_ENTRY:
        return add_line(e, event->data);
    case POP3_EVENT_REPLY:
        Py_XSETREF(e->first, octets_of(event->reply.line));
        return e->first == NULL ? -1 : 0;
    case POP3_EVENT_CHALLENGE:
        return tell(told, "challenge", true, octets_of(event->data),
                    cpoplib_new_reference(Py_None));
    case POP3_EVENT_GREETING:
        return !over ? 0
                     : tell(told, "greeting", event->status == POP3_OK,
                            octets_of(event->reply.line), cpoplib_new_reference(Py_None));
    case POP3_EVENT_DONE:
        return !over ? 0
                     : tell(told, "done", event->status == POP3_OK, take_line(e, event),
                            take_answer(e, event));
    default:
        return 0;
    }
}

/* The events of the input, as a list. After an exception the others are discarded. */
static PyObject *take_events(cpoplib_engine_object *e)
{
    PyObject *told = PyList_New(0);
    pop3_event event;
    while (pop3_engine_next(e->engine, &event)) {
        if (told != NULL && take_event(e, &event, told) < 0)
            Py_CLEAR(told);
    }
    return told;
}

static PyObject *feed(PyObject *self, PyObject *data)
{
    Py_buffer buffer;
    cpoplib_engine_object *e = as_engine(self);
    if (PyObject_GetBuffer(data, &buffer, PyBUF_SIMPLE) < 0)
        return NULL;
    PyObject *told = NULL;
    if (begin(e)) {
        pop3_engine_feed(e->engine, buffer.buf, (size_t)buffer.len);
        told = end(e, take_events(e));
    }
    PyBuffer_Release(&buffer);
    return told;
}

static PyObject *end_input(PyObject *self, PyObject *Py_UNUSED(unused))
{
    cpoplib_engine_object *e = as_engine(self);
    if (!begin(e))
        return NULL;
    pop3_engine_fail(e->engine, POP3_ERR_CLOSED);
    return end(e, take_events(e));
}

static PyObject *check_alive(PyObject *self, PyObject *Py_UNUSED(unused))
{
    const char *detail;
    if (!begin(as_engine(self)))
        return NULL;
    pop3_status status = pop3_engine_error(as_engine(self)->engine, &detail);
    if (status != POP3_OK)
        raise_error(cpoplib_state_of(self), status, detail);
    return end(as_engine(self), status == POP3_OK ? cpoplib_new_reference(Py_None) : NULL);
}

static PyObject *respond(PyObject *self, PyObject *base64)
{
    pop3_engine *engine = as_engine(self)->engine;
    if (base64 != Py_None && !PyBytes_Check(base64)) {
        PyErr_SetString(PyExc_TypeError, "an answer is bytes or None");
        return NULL;
    }
    if (!begin(as_engine(self)))
        return NULL;
    pop3_status status;
    if (base64 == Py_None)
        status = pop3_engine_cancel_auth(engine);
    else
        status = pop3_engine_respond(
            engine, (pop3_str){PyBytes_AS_STRING(base64), (size_t)PyBytes_GET_SIZE(base64)});
    return end(as_engine(self), check(cpoplib_state_of(self), status));
}

static PyObject *tls_started(PyObject *self, PyObject *Py_UNUSED(unused))
{
    if (!begin(as_engine(self)))
        return NULL;
    pop3_engine_tls_started(as_engine(self)->engine);
    return end(as_engine(self), cpoplib_new_reference(Py_None));
}

/* Properties of the engine. */
static PyObject *ask(PyObject *self, bool (*question)(const pop3_engine *))
{
    if (!begin(as_engine(self)))
        return NULL;
    return end(as_engine(self), PyBool_FromLong(question(as_engine(self)->engine)));
}

static PyObject *wants_tls(PyObject *self, void *Py_UNUSED(unused))
{
    return ask(self, pop3_engine_wants_tls);
}

static PyObject *wants_input(PyObject *self, void *Py_UNUSED(unused))
{
    return ask(self, pop3_engine_wants_input);
}

static PyObject *pipelines(PyObject *self, void *Py_UNUSED(unused))
{
    return ask(self, pop3_engine_pipelines);
}

static PyObject *timestamp(PyObject *self, void *Py_UNUSED(unused))
{
    if (!begin(as_engine(self)))
        return NULL;
    return end(as_engine(self), octets_of(pop3_engine_timestamp(as_engine(self)->engine)));
}

static PyObject *capabilities(PyObject *self, void *Py_UNUSED(unused))
{
    if (!begin(as_engine(self)))
        return NULL;
    const pop3_capabilities *caps = pop3_engine_capabilities(as_engine(self)->engine);
    return end(as_engine(self), caps == NULL
                                    ? cpoplib_new_reference(Py_None)
                                    : cpoplib_build_capabilities(cpoplib_state_of(self), caps));
}

static PyMethodDef methods[] = {
    {"submit", submit, METH_VARARGS,
     PyDoc_STR("submit(command, number=0, lines=0, text=None, initial=None)")},
    {"output", output, METH_NOARGS,
     PyDoc_STR("Returns the octets to send, which then count as sent.")},
    {"feed", feed, METH_O, PyDoc_STR("Takes received octets; returns the events.")},
    {"end_input", end_input, METH_NOARGS, PyDoc_STR("The connection has ended.")},
    {"check_alive", check_alive, METH_NOARGS,
     PyDoc_STR("Raises the error that ended the session, if any.")},
    {"respond", respond, METH_O, PyDoc_STR("Answers a challenge in base64; None cancels.")},
    {"tls_started", tls_started, METH_NOARGS, PyDoc_STR("The handshake after STLS has succeeded.")},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef properties[] = {
    {"wants_tls", wants_tls, NULL, PyDoc_STR("Whether STLS was answered with +OK."), NULL},
    {"wants_input", wants_input, NULL, PyDoc_STR("Whether a reply is awaited."), NULL},
    {"pipelines", pipelines, NULL, PyDoc_STR("Whether commands may share a window."), NULL},
    {"timestamp", timestamp, NULL,
     PyDoc_STR("The timestamp for APOP; empty if the greeting has none."), NULL},
    {"capabilities", capabilities, NULL,
     PyDoc_STR("The Capabilities, or None if they are not known."), NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)PyDoc_STR("The sans-I/O engine, for cpoplib.aio.")},
    {Py_tp_new, (void *)engine_new},
    {Py_tp_methods, methods},
    {Py_tp_getset, properties},
    {Py_tp_dealloc, (void *)engine_dealloc},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "cpoplib._Engine",
    .basicsize = sizeof(cpoplib_engine_object),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

int cpoplib_add_engine(PyObject *module, cpoplib_state *state)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    int result = type == NULL ? -1 : PyDict_SetItemString(state->globals, "_Engine", type);
    Py_XDECREF(type);
    return result;
}

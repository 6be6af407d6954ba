/* What poplib does not have: whole messages as bytes or to a file, parsed capabilities, and the end
 * of a with statement. */
#include "extras.h"

#include "arguments.h"
#include "engine_io.h"

#include <string.h>

static int end_of_message(cpoplib_run *run, const pop3_event *event)
{
    if (event->kind != POP3_EVENT_DONE || event->status == POP3_OK)
        return 0;
    cpoplib_raise_refusal(run->state, event);
    return -1;
}

/* Submits a command and runs the engine until it has ended. With the lock. */
static int run_command(cpoplib_run *run, const pop3_command *command)
{
    if (cpoplib_settle(run->state, run->client) < 0)
        return -1;
    pop3_engine *engine = cpoplib_engine(run->client);
    if (engine == NULL || cpoplib_submit(run->state, engine, command) < 0)
        return -1;
    return cpoplib_finish(run);
}

static int retrieve(cpoplib_run *run, PyObject *which)
{
    pop3_command retr = POP3_COMMAND_INIT;
    retr.kind = POP3_CMD_RETR;
    if (!cpoplib_message_number(which, &retr.number) || !cpoplib_engine_lock(run->client))
        return -1;
    int result = run_command(run, &retr);
    cpoplib_engine_unlock(run->client);
    return result;
}

PyObject *cpoplib_retr_bytes(PyObject *self, PyObject *which)
{
    cpoplib_run run = {.state = cpoplib_state_of(self),
                       .client = (cpoplib_client *)self,
                       .on_event = end_of_message,
                       .message = {.wanted = true}};
    PyObject *message = retrieve(&run, which) < 0 ? NULL : cpoplib_message_take(&run.message);
    cpoplib_message_clear(&run.message);
    return message;
}

PyObject *cpoplib_retr_into(PyObject *self, PyObject *which, PyObject *file)
{
    cpoplib_run run = {.state = cpoplib_state_of(self),
                       .client = (cpoplib_client *)self,
                       .on_event = end_of_message,
                       .message = {.wanted = true, .file = file}};
    int result = retrieve(&run, which);
    cpoplib_message_clear(&run.message);
    return result < 0 ? NULL : PyLong_FromUnsignedLongLong(run.message.written);
}

/* The server's text as str, whatever its octets are. */
static PyObject *decode(const char *text)
{
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

static PyObject *tuple_of(const char *const *texts, size_t count)
{
    PyObject *tuple = PyTuple_New((Py_ssize_t)count);
    for (size_t i = 0; i < count && tuple != NULL; i++) {
        PyObject *text = decode(texts[i]);
        if (text == NULL)
            Py_CLEAR(tuple);
        else
            PyTuple_SET_ITEM(tuple, (Py_ssize_t)i, text);
    }
    return tuple;
}

/* The first word of each line, in upper case. */
static PyObject *names_of(const pop3_capabilities *caps)
{
    PyObject *names = PyFrozenSet_New(NULL);
    for (size_t i = 0; i < caps->line_count && names != NULL; i++) {
        const char *line = caps->lines[i];
        PyObject *word = PyUnicode_DecodeUTF8(line, (Py_ssize_t)strcspn(line, " \t"), "replace");
        PyObject *upper = word == NULL ? NULL : PyObject_CallMethod(word, "upper", NULL);
        if (upper == NULL || PySet_Add(names, upper) < 0)
            Py_CLEAR(names);
        Py_XDECREF(upper);
        Py_XDECREF(word);
    }
    return names;
}

static PyObject *expire_of(const pop3_capabilities *caps)
{
    switch (caps->expire) {
    case POP3_EXPIRE_NEVER:
        return PyUnicode_FromString("NEVER");
    case POP3_EXPIRE_DAYS:
        return PyLong_FromUnsignedLong(caps->expire_days);
    default:
        return cpoplib_new_reference(Py_None);
    }
}

PyObject *cpoplib_build_capabilities(const cpoplib_state *state, const pop3_capabilities *caps)
{
    bool delay = (caps->flags & POP3_CAP_LOGIN_DELAY) != 0;
    PyObject *fields[] = {
        names_of(caps),
        tuple_of(caps->lines, caps->line_count),
        tuple_of(caps->sasl, caps->sasl_count),
        expire_of(caps),
        delay ? PyLong_FromUnsignedLong(caps->login_delay) : cpoplib_new_reference(Py_None),
        caps->implementation == NULL ? cpoplib_new_reference(Py_None)
                                     : decode(caps->implementation),
    };
    PyObject *result = PyStructSequence_New(state->caps_type);
    for (Py_ssize_t i = 0; i < (Py_ssize_t)(sizeof fields / sizeof fields[0]); i++) {
        if (fields[i] == NULL || result == NULL) {
            Py_CLEAR(result);
            Py_XDECREF(fields[i]);
        } else {
            PyStructSequence_SetItem(result, i, fields[i]);
        }
    }
    return result;
}

static int end_of_capa(cpoplib_run *run, const pop3_event *event)
{
    if (event->kind != POP3_EVENT_DONE)
        return 0;
    run->client->capabilities_asked = true;
    if (event->status == POP3_OK)
        return 0;
    cpoplib_raise_text(run->state, "-ERR CAPA not supported by server");
    return -1;
}

/* What the server announces. With the lock. */
static PyObject *ask_capabilities(const cpoplib_state *state, cpoplib_client *client)
{
    if (cpoplib_settle(state, client) < 0)
        return NULL;
    pop3_engine *engine = cpoplib_engine(client);
    if (engine == NULL)
        return NULL;
    if (pop3_engine_capabilities(engine) == NULL) {
        cpoplib_run run = {.state = state, .client = client, .on_event = end_of_capa};
        pop3_command capa = POP3_COMMAND_INIT;
        capa.kind = POP3_CMD_CAPA;
        if (run_command(&run, &capa) < 0)
            return NULL;
        if (client->engine == NULL) { /* code that got the reply has closed the connection */
            cpoplib_raise_text(state, "-ERR EOF");
            return NULL;
        }
    }
    client->busy = true; /* the collector may run any code, which must not free the engine */
    PyObject *result = cpoplib_build_capabilities(state, pop3_engine_capabilities(client->engine));
    client->busy = false;
    if (atomic_load(&client->forget))
        cpoplib_forget_engine(client);
    return result;
}

PyObject *cpoplib_capabilities(PyObject *self, void *Py_UNUSED(unused))
{
    cpoplib_client *client = (cpoplib_client *)self;
    if (!cpoplib_engine_lock(client))
        return NULL;
    PyObject *result = ask_capabilities(cpoplib_state_of(self), client);
    cpoplib_engine_unlock(client);
    return result;
}

PyObject *cpoplib_exit(PyObject *self, PyObject *exception_type)
{
    const cpoplib_state *state = cpoplib_state_of(self);
    PyObject *sock = cpoplib_get(state, self, NAME_SOCK);
    if (sock == NULL)
        return NULL;
    bool over = sock == Py_None;
    Py_DECREF(sock);
    PyObject *done = NULL;
    if (exception_type != Py_None) /* the server must not delete anything then (RFC 1939 §6) */
        done = PyObject_CallMethodNoArgs(self, state->names[NAME_CLOSE]);
    else if (!over)
        done = PyObject_CallMethod(self, "quit", NULL);
    else
        done = cpoplib_new_reference(Py_None);
    if (done == NULL)
        return NULL;
    Py_DECREF(done);
    Py_RETURN_NONE;
}

static PyStructSequence_Field fields[] = {
    {"names", PyDoc_STR("The capabilities' names in upper case, a frozenset.")},
    {"lines", PyDoc_STR("Every line of the answer.")},
    {"sasl", PyDoc_STR("The mechanisms for auth().")},
    {"expire", PyDoc_STR("Days that mail is kept, 'NEVER', or None if not announced.")},
    {"login_delay", PyDoc_STR("Seconds between logins, or None.")},
    {"implementation", PyDoc_STR("The name of the server's software, or None.")},
    {NULL, NULL},
};

static PyStructSequence_Desc description = {
    .name = "cpoplib.Capabilities",
    .doc = PyDoc_STR("The capabilities in a server's answer to CAPA."),
    .fields = fields,
    .n_in_sequence = 6,
};

int cpoplib_add_capabilities(cpoplib_state *state)
{
    state->caps_type = PyStructSequence_NewType(&description);
    if (state->caps_type == NULL)
        return -1;
    return PyDict_SetItemString(state->globals, "Capabilities", (PyObject *)state->caps_type);
}

/* POP3.auth(): a SASL exchange in which a Python callable provides the answers (RFC 5034). */
#include "authenticate.h"

#include "engine_io.h"

#include <string.h>

/* Octets of a command line (RFC 2449 §4). An initial response that does not fit is sent on a line
 * of its own (RFC 5034 §4). */
#define LINE_MOST 255

/* One exchange. */
typedef struct exchange {
    PyObject *authobject; /* provides the answers; None: they are empty */
    PyObject *held;       /* an initial response in base64, to be sent after a challenge; or NULL */
    PyObject *result;     /* the server's last line after +OK */
    PyObject *failure;    /* an exception that ended the exchange on our side */
} exchange;

/* Calls a function of binascii with octets; returns bytes. */
static PyObject *convert(const char *function, PyObject *octets)
{
    PyObject *binascii = PyImport_ImportModule("binascii");
    if (binascii == NULL)
        return NULL;
    PyObject *result = PyObject_CallMethod(binascii, function, "O", octets);
    Py_DECREF(binascii);
    if (result != NULL && !PyBytes_Check(result)) {
        PyErr_SetString(PyExc_TypeError, "binascii did not return bytes");
        Py_CLEAR(result);
    }
    return result;
}

/* The answer of authobject as octets: None for "cancel", or before the first challenge for "none";
 * a new reference. A str is sent as UTF-8. */
static PyObject *ask(PyObject *authobject, PyObject *challenge)
{
    if (authobject == Py_None)
        return PyBytes_FromStringAndSize(NULL, 0);
    PyObject *answer = challenge == NULL ? PyObject_CallNoArgs(authobject)
                                         : PyObject_CallOneArg(authobject, challenge);
    if (answer == NULL || answer == Py_None || PyBytes_Check(answer))
        return answer;
    PyObject *octets = NULL;
    if (PyUnicode_Check(answer))
        octets = PyUnicode_AsUTF8String(answer);
    else
        PyErr_Format(PyExc_TypeError, "authobject must return bytes, str or None, not %.200s",
                     Py_TYPE(answer)->tp_name);
    Py_DECREF(answer);
    return octets;
}

/* Octets in base64, without the LF that binascii appends. */
static PyObject *encode(PyObject *octets, pop3_str *text)
{
    PyObject *base64 = convert("b2a_base64", octets);
    if (base64 != NULL)
        *text = (pop3_str){PyBytes_AS_STRING(base64), (size_t)PyBytes_GET_SIZE(base64) - 1};
    return base64;
}

/* Sends base64. -1 with an exception when it cannot be sent. */
static int respond(pop3_engine *engine, pop3_str text)
{
    pop3_status status = pop3_engine_respond(engine, text);
    if (status == POP3_ERR_MEMORY)
        PyErr_NoMemory();
    else if (status != POP3_OK)
        PyErr_SetString(PyExc_ValueError, "AUTH: the answer is too long");
    return status == POP3_OK ? 0 : -1;
}

/* Answers a challenge. -1 with an exception if there is no answer. */
static int answer(pop3_engine *engine, exchange *x, pop3_str challenge)
{
    int result = -1;
    PyObject *plain = NULL, *octets = NULL, *base64 = NULL;
    if (x->held != NULL) { /* the challenge only requests the initial response */
        pop3_str text = {PyBytes_AS_STRING(x->held), (size_t)PyBytes_GET_SIZE(x->held) - 1};
        result = respond(engine, text);
        Py_CLEAR(x->held);
        return result;
    }
    PyObject *coded = PyBytes_FromStringAndSize(challenge.data, (Py_ssize_t)challenge.len);
    if (coded != NULL)
        plain = convert("a2b_base64", coded);
    if (plain != NULL)
        octets = ask(x->authobject, plain);
    if (octets == Py_None) {
        pop3_engine_cancel_auth(engine);
        result = 0;
    } else if (octets != NULL) {
        pop3_str text;
        base64 = encode(octets, &text);
        result = base64 == NULL ? -1 : respond(engine, text);
    }
    Py_XDECREF(base64);
    Py_XDECREF(octets);
    Py_XDECREF(plain);
    Py_XDECREF(coded);
    return result;
}

static int on_event(cpoplib_run *run, const pop3_event *event)
{
    exchange *x = run->target;
    pop3_engine *engine = run->client->engine;
    if (event->kind == POP3_EVENT_CHALLENGE) {
        /* The server must be informed, or it would wait for ever; its refusal follows. */
        if (x->failure != NULL || answer(engine, x, event->data) < 0) {
            if (x->failure == NULL)
                x->failure = cpoplib_take_exception();
            pop3_engine_cancel_auth(engine);
        }
        return 0;
    }
    if (event->kind != POP3_EVENT_DONE)
        return 0;
    if (event->status != POP3_OK) {
        if (x->failure == NULL)
            cpoplib_raise_refusal(run->state, event);
        return -(x->failure == NULL);
    }
    x->result =
        PyBytes_FromStringAndSize(event->reply.line.data, (Py_ssize_t)event->reply.line.len);
    return x->result == NULL ? -1 : 0;
}

/* The initial response in the command, if any: RFC 5034 §4 writes an empty one as "=". */
static int add_initial(exchange *x, pop3_command *auth, PyObject **base64)
{
    PyObject *octets = ask(x->authobject, NULL);
    if (octets == NULL)
        return -1;
    if (octets == Py_None) {
        Py_DECREF(octets);
        return 0;
    }
    *base64 = encode(octets, &auth->initial);
    Py_DECREF(octets);
    if (*base64 == NULL)
        return -1;
    if (auth->initial.len == 0)
        auth->initial = (pop3_str){"=", 1};
    if (strlen("AUTH  \r\n") + auth->text.len + auth->initial.len > LINE_MOST) {
        auth->initial = (pop3_str){0};
        x->held = *base64;
        *base64 = NULL;
    }
    return 0;
}

PyObject *cpoplib_auth(PyObject *self, PyObject *mechanism, PyObject *authobject,
                       int initial_response_ok)
{
    const cpoplib_state *state = cpoplib_state_of(self);
    cpoplib_client *client = (cpoplib_client *)self;
    exchange x = {.authobject = authobject};
    cpoplib_run run = {
        .state = state, .client = client, .on_event = on_event, .target = &x, .secret = true};
    pop3_command auth = POP3_COMMAND_INIT;
    auth.kind = POP3_CMD_AUTH;
    PyObject *base64 = NULL;
    Py_ssize_t len;
    int result = -1;
    auth.text.data = PyUnicode_AsUTF8AndSize(mechanism, &len);
    if (auth.text.data == NULL)
        return NULL;
    auth.text.len = (size_t)len;
    if (initial_response_ok && add_initial(&x, &auth, &base64) < 0)
        goto end;
    if (!cpoplib_engine_lock(client))
        goto end;
    pop3_engine *engine = cpoplib_settle(state, client) < 0 ? NULL : cpoplib_engine(client);
    if (engine != NULL && cpoplib_submit(state, engine, &auth) == 0)
        result = cpoplib_finish(&run);
    cpoplib_engine_unlock(client);
end:
    Py_XDECREF(base64);
    Py_XDECREF(x.held);
    if (x.failure != NULL) {
        PyErr_Clear();
        cpoplib_restore_exception(x.failure);
        Py_CLEAR(x.result);
    } else if (result < 0) {
        Py_CLEAR(x.result);
    }
    return x.result;
}

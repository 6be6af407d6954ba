/* Runs the sans-I/O engine over a connection's socket and file. */
#include "engine_io.h"

#include "reader.h"

#include <stdio.h>
#include <string.h>

enum {
    SPANS_AT_ONCE = 1024,      /* pieces of messages that are collected before they are copied */
    WORTH_THE_GIL = 32 * 1024, /* octets: processing fewer is faster than releasing the GIL */
    LINE_AT_ONCE = 65536 /* lines of a file that is not ours are read in pieces of this size */
};

pop3_engine *cpoplib_engine(cpoplib_client *client)
{
    if (client->engine != NULL)
        return client->engine;
    pop3_engine *engine;
    if (pop3_engine_new(&engine, NULL) != POP3_OK) {
        PyErr_NoMemory();
        return NULL;
    }
    /* The real greeting has been read, and may have been replaced. */
    static const char greeting[] = "+OK\r\n";
    pop3_event event;
    pop3_engine_feed(engine, greeting, sizeof greeting - 1);
    while (pop3_engine_next(engine, &event))
        continue;
    if (pop3_engine_error(engine, NULL) != POP3_OK) {
        pop3_engine_free(engine);
        PyErr_NoMemory();
        return NULL;
    }
    client->engine = engine;
    return engine;
}

/* Whether a command changes what the server offers. */
static bool changes_offer(PyObject *line)
{
    static const char *const changing[] = {"PASS", "APOP", "RPOP", "AUTH", "STLS", "UTF8"};
    for (size_t i = 0; i < sizeof changing / sizeof changing[0] && PyBytes_Check(line); i++) {
        if (PyOS_strnicmp(PyBytes_AS_STRING(line), changing[i], 4) == 0)
            return true;
    }
    return false;
}

void cpoplib_note_command(cpoplib_client *client, PyObject *line)
{
    if (!cpoplib_engine_try_lock(client))
        return; /* what another thread has in flight decides about the capabilities */
    if (client->engine != NULL && !client->busy && pop3_engine_pending(client->engine) == 0 &&
        changes_offer(line))
        cpoplib_forget_engine(client);
    cpoplib_engine_unlock(client);
}

int cpoplib_submit(const cpoplib_state *state, pop3_engine *engine, const pop3_command *command)
{
    switch (pop3_engine_submit(engine, command)) {
    case POP3_OK:
        return 0;
    case POP3_ERR_MEMORY:
        PyErr_NoMemory();
        return -1;
    case POP3_ERR_ARGUMENT:
        PyErr_Format(PyExc_ValueError, "%s: the argument cannot be sent",
                     pop3_command_name(command->kind));
        return -1;
    default:
        cpoplib_raise_text(state, "-ERR the session does not allow this command now");
        return -1;
    }
}

void cpoplib_raise_refusal(const cpoplib_state *state, const pop3_event *done)
{
    PyObject *line =
        PyBytes_FromStringAndSize(done->reply.line.data, (Py_ssize_t)done->reply.line.len);
    if (line != NULL)
        cpoplib_raise_object(state, line);
    Py_XDECREF(line);
}

/* Raises the error that ended the engine; `first`, if not NULL, is the first event that reported
 * it: of the command that failed first. */
static void raise_death(const cpoplib_run *run, const pop3_event *first)
{
    const char *detail;
    char text[400];
    switch (pop3_engine_error(run->client->engine, &detail)) {
    case POP3_ERR_CLOSED:
        cpoplib_raise_text(run->state, run->at_close != NULL ? run->at_close : "-ERR EOF");
        break;
    case POP3_ERR_MEMORY:
        PyErr_NoMemory();
        break;
    default:
        if (first != NULL && first->number > 0) {
            snprintf(text, sizeof text, "%s %lu: %s", pop3_command_name(first->command),
                     (unsigned long)first->number, detail);
            detail = text;
        }
        cpoplib_raise_text(run->state, detail);
        break;
    }
}

/* Takes events up to the first that is not a piece of a message, or to the end of the input; uses
 * no Python object. Returns the number of pieces; *other says whether *event is that other event.
 */
static size_t take_pieces(pop3_engine *engine, pop3_str *spans, pop3_event *event, bool *other)
{
    size_t count = 0;
    *other = false;
    while (count < SPANS_AT_ONCE && pop3_engine_next(engine, event)) {
        if (event->kind != POP3_EVENT_BODY) {
            *other = true;
            break;
        }
        spans[count++] = event->data;
    }
    return count;
}

/* Prints a status line as poplib does. */
static int show_reply(const cpoplib_run *run, const pop3_event *event)
{
    if (event->kind == POP3_EVENT_ENTRY || event->kind == POP3_EVENT_CHALLENGE)
        return 0;
    int wanted = cpoplib_debugging(run->state, (PyObject *)run->client, 1);
    if (wanted <= 0 || event->reply.line.len == 0)
        return wanted < 0 ? -1 : 0;
    PyObject *line =
        PyBytes_FromStringAndSize(event->reply.line.data, (Py_ssize_t)event->reply.line.len);
    int result = line == NULL ? -1 : cpoplib_print("*resp*", line);
    Py_XDECREF(line);
    return result;
}

/* Passes on all events of the input, because the engine must not keep input that may move. After an
 * exception events are discarded. */
static int hand_out(cpoplib_run *run, size_t fed)
{
    pop3_engine *engine = run->client->engine;
    PyObject *failure = NULL;
    pop3_event first = {.status = POP3_OK}; /* that failed */
    pop3_str spans[SPANS_AT_ONCE];
    for (;;) {
        pop3_event event;
        bool other;
        size_t count;
        if (fed < WORTH_THE_GIL) {
            count = take_pieces(engine, spans, &event, &other);
        } else {
            Py_BEGIN_ALLOW_THREADS count = take_pieces(engine, spans, &event, &other);
            Py_END_ALLOW_THREADS
        }
        if (count == 0 && !other)
            break;
        if (failure != NULL)
            continue;
        bool told = other && (event.status == POP3_OK || event.status == POP3_ERR_REFUSED);
        if (other && !told && first.status == POP3_OK)
            first = event;
        if (cpoplib_message_add(run->state, &run->message, spans, count) < 0 ||
            (told && show_reply(run, &event) < 0) || (told && run->on_event(run, &event) < 0))
            failure = cpoplib_take_exception();
    }
    if (failure != NULL)
        cpoplib_restore_exception(failure);
    else if (pop3_engine_error(engine, NULL) != POP3_OK)
        raise_death(run, &first);
    return PyErr_Occurred() ? -1 : 0;
}

/* Prints and audits a command line like _putline(). */
static int announce(const cpoplib_run *run, const char *data, size_t len)
{
    PyObject *self = (PyObject *)run->client;
    int wanted = cpoplib_debugging(run->state, self, 0);
    PyObject *shown = NULL;
    int result = wanted < 0 ? -1 : 0;
    if (wanted > 0) {
        shown = run->secret ? PyUnicode_FromString("***")
                            : PyUnicode_DecodeUTF8(data, (Py_ssize_t)len, "replace");
        result = shown == NULL ? -1 : cpoplib_print("*cmd*", shown);
    }
    Py_XDECREF(shown);
    PyObject *line = result < 0 ? NULL : PyBytes_FromStringAndSize(data, (Py_ssize_t)len);
    if (line == NULL)
        return -1;
    result = PySys_Audit("poplib.putline", "OO", self, line);
    Py_DECREF(line);
    return result;
}

static int announce_lines(const cpoplib_run *run, const char *data, size_t len)
{
    const char *end = data + len;
    while (data < end) {
        const char *lf = memchr(data, '\n', (size_t)(end - data));
        const char *next = lf == NULL ? end : lf + 1;
        size_t size = (size_t)(next - data);
        if (announce(run, data, size < 2 ? size : size - 2) < 0)
            return -1;
        data = next;
    }
    return 0;
}

/* Sends by the descriptor, which remains this connection's while our file is in use. */
static int send_by_wire(const cpoplib_run *run, cpoplib_wire *wire, PyObject *octets)
{
    PyObject *file = cpoplib_get(run->state, (PyObject *)run->client, NAME_FILE);
    if (file == NULL)
        return -1;
    cpoplib_reader *r = (cpoplib_reader *)file;
    bool held = cpoplib_reader_is_plain(run->state, file) && cpoplib_reader_hold(r);
    int result = cpoplib_wire_send(run->state, wire, octets);
    if (held)
        cpoplib_reader_end(r);
    Py_DECREF(file);
    return result;
}

/* sock.sendall(octets), directly if possible. */
static int send_all(const cpoplib_run *run, PyObject *sock, PyObject *octets)
{
    const cpoplib_state *state = run->state;
    cpoplib_wire wire;
    int result = cpoplib_wire_open(state, sock, &wire);
    if (result > 0) {
        result = send_by_wire(run, &wire, octets);
        cpoplib_wire_done(&wire);
    } else if (result == 0) {
        PyObject *sent = PyObject_CallMethodOneArg(sock, state->names[NAME_SENDALL], octets);
        result = sent == NULL ? -1 : 0;
        Py_XDECREF(sent);
    }
    return result;
}

/* Sends the engine's output. Returns 1 if there was some. */
static int send_output(cpoplib_run *run)
{
    pop3_engine *engine = run->client->engine;
    int did = 0;
    size_t len;
    const char *data;
    while ((data = pop3_engine_output(engine, &len)), len > 0) {
        PyObject *sock = cpoplib_get(run->state, (PyObject *)run->client, NAME_SOCK);
        PyObject *octets = sock == NULL ? NULL : PyBytes_FromStringAndSize(data, (Py_ssize_t)len);
        bool sent = false;
        if (octets != NULL && announce_lines(run, data, len) == 0)
            sent = send_all(run, sock, octets) == 0;
        Py_XDECREF(octets);
        Py_XDECREF(sock);
        if (!sent)
            return -1;
        pop3_engine_sent(engine, len);
        did = 1;
    }
    return did;
}

static int feed(cpoplib_run *run, const char *data, size_t len)
{
    if (len == 0)
        pop3_engine_fail(run->client->engine, POP3_ERR_CLOSED);
    else
        pop3_engine_feed(run->client->engine, data, len);
    return hand_out(run, len);
}

/* Whether one reply is awaited and there is nothing to send. */
static bool only_waits(pop3_engine *engine)
{
    size_t len;
    (void)pop3_engine_output(engine, &len);
    return len == 0 && pop3_engine_wants_input(engine) && pop3_engine_in_flight(engine) <= 1;
}

/* Reads from our own file, at most once, and feeds its contents. */
static int read_own(cpoplib_run *run, cpoplib_reader *r)
{
    if (!cpoplib_reader_begin(r, "readline"))
        return -1;
    int result = -1;
    if (r->end == r->start && cpoplib_reader_fill(r) < 0) {
        pop3_engine_fail(run->client->engine, POP3_ERR_IO);
    } else {
        const char *data = r->data + r->start;
        size_t len = (size_t)(r->end - r->start);
        r->start = r->end;
        result = feed(run, data, len);
        if (result >= 0 && only_waits(run->client->engine) && !cpoplib_reader_acknowledge(r))
            result = -1;
    }
    cpoplib_reader_end(r);
    if (!pop3_engine_wants_input(run->client->engine))
        cpoplib_reader_rest(r);
    return result;
}

/* Reads a line from any other file: a larger read might take octets that are not ours. */
static int read_any(cpoplib_run *run, PyObject *file)
{
    Py_buffer buffer;
    PyObject *line = PyObject_CallMethod(file, "readline", "i", LINE_AT_ONCE);
    int result = line == NULL ? -1 : PyObject_GetBuffer(line, &buffer, PyBUF_SIMPLE);
    if (result == 0) {
        result = feed(run, buffer.buf, (size_t)buffer.len);
        PyBuffer_Release(&buffer);
    } else {
        pop3_engine_fail(run->client->engine, POP3_ERR_IO); /* octets may have been lost */
    }
    Py_XDECREF(line);
    return result;
}

static int read_input(cpoplib_run *run)
{
    PyObject *file = cpoplib_get(run->state, (PyObject *)run->client, NAME_FILE);
    if (file == NULL)
        return -1;
    int result;
    if (cpoplib_reader_is_plain(run->state, file))
        result = read_own(run, (cpoplib_reader *)file);
    else
        result = read_any(run, file);
    Py_DECREF(file);
    return result < 0 ? -1 : 1;
}

void cpoplib_hang_up(const cpoplib_state *state, PyObject *client)
{
    PyObject *exception = cpoplib_take_exception();
    PyObject *closed = PyObject_CallMethodNoArgs(client, state->names[NAME_CLOSE]);
    if (closed == NULL)
        PyErr_Clear();
    Py_XDECREF(closed);
    cpoplib_restore_exception(exception);
}

int cpoplib_check_idle(const cpoplib_client *client)
{
    if (!client->busy)
        return 0;
    PyErr_SetString(PyExc_RuntimeError, "the connection is in use already");
    return -1;
}

int cpoplib_step(cpoplib_run *run)
{
    cpoplib_client *client = run->client;
    if (cpoplib_check_idle(client) < 0)
        return -1;
    client->busy = true;
    int result = send_output(run);
    bool dead = result < 0; /* it is unknown how much was sent */
    if (result >= 0 && pop3_engine_error(client->engine, NULL) != POP3_OK) {
        raise_death(run, NULL); /* there was no memory for the command line */
        result = -1;
        dead = true;
    }
    if (result >= 0 && pop3_engine_wants_input(client->engine)) {
        result = read_input(run);
        dead = pop3_engine_error(client->engine, NULL) != POP3_OK;
    }
    if (result < 0 && (dead || PyErr_ExceptionMatches(PyExc_OSError)))
        cpoplib_hang_up(run->state, (PyObject *)client);
    client->busy = false;
    if (!atomic_load(&client->forget))
        return result;
    bool over = pop3_engine_pending(client->engine) == 0;
    cpoplib_forget_engine(client);
    if (result >= 0 && !over) { /* the connection was closed meanwhile */
        cpoplib_raise_text(run->state, "-ERR EOF");
        result = -1;
    }
    return result;
}

int cpoplib_finish(cpoplib_run *run)
{
    while (run->client->engine != NULL && pop3_engine_pending(run->client->engine) > 0) {
        int did = cpoplib_step(run);
        if (did < 0)
            return -1;
        if (did == 0) {
            PyErr_SetString(PyExc_RuntimeError, "the connection waits for nothing");
            return -1;
        }
    }
    return 0;
}

/* For replies that are discarded. */
static int drop(cpoplib_run *run, const pop3_event *event)
{
    if (event->kind == POP3_EVENT_CHALLENGE)
        pop3_engine_cancel_auth(run->client->engine);
    return 0;
}

/* cpoplib_settle() with the lock. */
static int settle(const cpoplib_state *state, cpoplib_client *client)
{
    if (cpoplib_check_idle(client) < 0)
        return -1;
    bool nothing = client->engine == NULL || pop3_engine_pending(client->engine) == 0;
    if (nothing || (client->ahead != NULL && atomic_load(&client->ahead->abandoned)))
        cpoplib_set_ahead(client, NULL);
    if (nothing)
        return 0;
    cpoplib_run dropping = {.state = state, .client = client, .on_event = drop};
    cpoplib_run *run = client->ahead == NULL ? &dropping : client->ahead;
    if (run != &dropping)
        cpoplib_run_hold(run);
    int result = cpoplib_finish(run);
    if (result == 0)
        cpoplib_set_ahead(client, NULL);
    if (run != &dropping)
        cpoplib_run_release(run);
    return result;
}

int cpoplib_settle(const cpoplib_state *state, cpoplib_client *client)
{
    if (!cpoplib_engine_lock(client))
        return -1;
    int result = settle(state, client);
    cpoplib_engine_unlock(client);
    return result;
}

/* The iterator of retr_many() over messages that are requested in advance, as far as the server
 * permits pipelining. */
#include "window.h"

#include "arguments.h"
#include "engine_io.h"

#include <stddef.h>
#include <string.h>

enum { DEFAULT_SIZE = 32, MAX_SIZE = 1024 };

/* Messages that were requested in advance: the connection holds this as long as replies may arrive.
 * Needs the lock of the connection's engine. */
typedef struct cpoplib_asked {
    cpoplib_run run;
    Py_ssize_t awaited; /* requested messages that have not been answered */
    PyObject *ready;    /* list of answers: (number, message), or an exception */
    Py_ssize_t next;    /* index of the first one that was not returned */
} cpoplib_asked;

typedef struct cpoplib_window {
    PyObject_HEAD cpoplib_client *client;
    PyObject *numbers; /* the caller's iterator; NULL at its end */
    uint32_t *queued;  /* numbers taken from it and not requested yet */
    Py_ssize_t queued_count;
    Py_ssize_t size; /* most messages requested in advance */
    bool closed;
    atomic_bool running; /* a method is running, possibly the caller's iterator */
    cpoplib_asked *asked;
} cpoplib_window;

static cpoplib_window *as_window(PyObject *self)
{
    return (cpoplib_window *)self;
}

static void free_asked(cpoplib_run *run)
{
    cpoplib_asked *asked = run->target;
    cpoplib_message_clear(&run->message);
    Py_XDECREF(asked->ready);
    PyMem_Free(asked);
}

/* The answer to a RETR: (number, message), or the exception to raise instead. */
static PyObject *make_answer(cpoplib_run *run, const pop3_event *done)
{
    if (done->status != POP3_OK) {
        cpoplib_raise_refusal(run->state, done);
        return cpoplib_take_exception();
    }
    PyObject *message = cpoplib_message_take(&run->message);
    return message == NULL ? NULL : Py_BuildValue("kN", (unsigned long)done->number, message);
}

static int on_event(cpoplib_run *run, const pop3_event *event)
{
    cpoplib_asked *asked = run->target;
    if (event->command != POP3_CMD_RETR || event->kind != POP3_EVENT_DONE)
        return 0;
    asked->awaited--;
    if (event->status == POP3_OK)
        run->at_close = NULL;
    PyObject *answer = make_answer(run, event);
    int result = answer == NULL ? -1 : PyList_Append(asked->ready, answer);
    Py_XDECREF(answer);
    return result;
}

/* Takes over the connection's engine, after reading what others left in flight. */
static int take_over(cpoplib_window *w)
{
    cpoplib_run *run = &w->asked->run;
    if (w->client->ahead == run)
        return cpoplib_check_idle(w->client);
    if (w->asked->awaited > 0) {
        w->closed = true;
        cpoplib_raise_text(run->state, "-ERR EOF"); /* the connection was closed meanwhile */
        return -1;
    }
    if (cpoplib_settle(run->state, w->client) < 0 || cpoplib_engine(w->client) == NULL)
        return -1;
    cpoplib_set_ahead(w->client, run);
    return 0;
}

/* Takes numbers from the caller's iterator while there is room to request them. Without the lock,
 * because the iterator may use the connection, even close it. */
static int take_numbers(cpoplib_window *w, Py_ssize_t room)
{
    while (w->numbers != NULL && w->queued_count < room) {
        PyObject *item = PyIter_Next(w->numbers);
        if (item == NULL) {
            if (PyErr_Occurred())
                return -1;
            Py_CLEAR(w->numbers);
            break;
        }
        bool ok = cpoplib_message_number(item, &w->queued[w->queued_count]);
        Py_DECREF(item);
        if (!ok)
            return -1;
        w->queued_count++;
    }
    return 0;
}

/* How many messages may be requested and not received: one, unless the server is known to support
 * pipelining. The engine would delay the others, and send them when another caller uses the
 * connection. */
static Py_ssize_t most_awaited(const cpoplib_window *w)
{
    const pop3_capabilities *caps = pop3_engine_capabilities(w->client->engine);
    return caps != NULL && (caps->flags & POP3_CAP_PIPELINING) != 0 ? w->size : 1;
}

/* Asks for the messages whose numbers were taken, or as many as may be; first, when it matters,
 * whether the server takes commands ahead of its replies. */
static int ask(cpoplib_window *w)
{
    pop3_engine *engine = w->client->engine;
    cpoplib_asked *ahead = w->asked;
    const cpoplib_state *state = ahead->run.state;
    if (w->queued_count > 1 && !w->client->capabilities_asked) {
        pop3_command capa = POP3_COMMAND_INIT;
        capa.kind = POP3_CMD_CAPA;
        if (cpoplib_submit(state, engine, &capa) < 0)
            return -1;
        w->client->capabilities_asked = true;
        ahead->run.at_close = "-ERR EOF after CAPA, which retr_many() sends unless window=1";
    }
    Py_ssize_t most = most_awaited(w), asked = 0;
    for (; asked < w->queued_count && ahead->awaited < most; asked++) {
        pop3_command retr = POP3_COMMAND_INIT;
        retr.kind = POP3_CMD_RETR;
        retr.number = w->queued[asked];
        if (cpoplib_submit(state, engine, &retr) < 0)
            return -1;
        ahead->awaited++;
    }
    w->queued_count -= asked;
    memmove(w->queued, w->queued + asked, (size_t)w->queued_count * sizeof *w->queued);
    return 0;
}

/* The next answer that is ready, which there is. */
static PyObject *hand_out(cpoplib_asked *asked)
{
    PyObject *answer = PyList_GET_ITEM(asked->ready, asked->next);
    Py_INCREF(Py_None);
    PyList_SET_ITEM(asked->ready, asked->next, Py_None);
    asked->next++;
    if (asked->next == PyList_GET_SIZE(asked->ready)) {
        asked->next = 0;
        if (PyList_SetSlice(asked->ready, 0, PY_SSIZE_T_MAX, NULL) < 0)
            Py_CLEAR(answer);
    }
    if (answer != NULL && PyExceptionInstance_Check(answer)) {
        PyErr_SetObject((PyObject *)Py_TYPE(answer), answer);
        Py_CLEAR(answer);
    }
    return answer;
}

/* In a turn. */
static void leave(cpoplib_window *w)
{
    w->closed = true;
    if (w->client->ahead == &w->asked->run)
        cpoplib_set_ahead(w->client, NULL);
    cpoplib_message_clear(&w->asked->run.message);
}

/* Moves the session on. When that fails, what had come whole is handed out before the exception. */
static int step(cpoplib_window *w)
{
    cpoplib_asked *asked = w->asked;
    if (cpoplib_step(&asked->run) >= 0)
        return 0;
    if (PyList_GET_SIZE(asked->ready) == asked->next)
        return -1;
    PyObject *exception = cpoplib_take_exception();
    int result = PyList_Append(asked->ready, exception);
    Py_DECREF(exception);
    w->closed = true;
    if (w->client->engine != NULL)
        leave(w);
    return result;
}

/* How it goes on after a look at what is there. */
typedef enum cpoplib_look {
    LOOK_ANSWER, /* with that answer, or the exception that is set */
    LOOK_END,
    LOOK_ASK /* with more messages */
} cpoplib_look;

/* In a turn. */
static cpoplib_look look(cpoplib_window *w, PyObject **answer)
{
    if (w->asked->next < PyList_GET_SIZE(w->asked->ready)) {
        *answer = hand_out(w->asked);
        return LOOK_ANSWER;
    }
    if (w->closed || (w->numbers == NULL && w->asked->awaited + w->queued_count == 0))
        return LOOK_END;
    return LOOK_ASK;
}

/* Asks for what was taken from the caller's iterator, and reads. In a turn, whose holder before may
 * have read answers. */
static int advance(cpoplib_window *w)
{
    if (w->asked->next < PyList_GET_SIZE(w->asked->ready) || w->closed ||
        w->asked->awaited + w->queued_count == 0)
        return 0;
    if (take_over(w) < 0)
        return -1;
    if (ask(w) == 0 && step(w) == 0)
        return 0;
    /* Nobody knows any more which messages were asked for, and which have come. */
    if (w->client->engine != NULL)
        leave(w);
    return -1;
}

/* The next answer; NULL at the end, and with an exception. */
static PyObject *next_answer(cpoplib_window *w)
{
    for (;;) {
        PyObject *answer = NULL;
        if (!cpoplib_engine_lock(w->client))
            return NULL;
        cpoplib_look next = look(w, &answer);
        Py_ssize_t room = w->size - w->asked->awaited;
        cpoplib_engine_unlock(w->client);
        if (next != LOOK_ASK)
            return answer;
        if (take_numbers(w, room) < 0 || !cpoplib_engine_lock(w->client))
            return NULL;
        int result = advance(w);
        cpoplib_engine_unlock(w->client);
        if (result < 0)
            return NULL;
    }
}

/* False with an exception, as from a generator, when the iterator is at work: another thread, or
 * the caller's iterator, may not use it now. */
static bool begin(cpoplib_window *w)
{
    bool idle = !atomic_exchange(&w->running, true);
    if (!idle)
        PyErr_SetString(PyExc_ValueError, "retr_many() is already executing");
    return idle;
}

static PyObject *window_next(PyObject *self)
{
    cpoplib_window *w = as_window(self);
    if (!begin(w))
        return NULL;
    PyObject *answer = next_answer(w);
    w->running = false;
    return answer;
}

/* Leaves what is in flight to whoever uses the connection next. In a turn. */
static int close_window(cpoplib_window *w)
{
    leave(w);
    w->asked->next = 0;
    return PyList_SetSlice(w->asked->ready, 0, PY_SSIZE_T_MAX, NULL);
}

static PyObject *window_close(PyObject *self, PyObject *Py_UNUSED(unused))
{
    cpoplib_window *w = as_window(self);
    if (!begin(w))
        return NULL;
    int result = -1;
    if (cpoplib_engine_lock(w->client)) {
        result = close_window(w);
        cpoplib_engine_unlock(w->client);
    }
    w->running = false;
    return result < 0 ? NULL : cpoplib_new_reference(Py_None);
}

static int window_traverse(PyObject *self, visitproc visit, void *arg)
{
    cpoplib_window *w = as_window(self);
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(w->client);
    Py_VISIT(w->numbers);
    if (w->asked != NULL)
        Py_VISIT(w->asked->ready);
    return 0;
}

static int window_clear(PyObject *self)
{
    Py_CLEAR(as_window(self)->numbers);
    return 0;
}

/* The end of the window's part in what was asked for: replies in flight are read and dropped before
 * the connection's next command. */
static void abandon(cpoplib_window *w)
{
    atomic_store(&w->asked->run.abandoned, true);
    if (cpoplib_engine_try_lock(w->client)) {
        if (w->client->ahead == &w->asked->run && !w->client->busy)
            cpoplib_set_ahead(w->client, NULL);
        cpoplib_engine_unlock(w->client);
    }
    cpoplib_run_release(&w->asked->run);
}

static void window_dealloc(PyObject *self)
{
    cpoplib_window *w = as_window(self);
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (w->asked != NULL)
        abandon(w);
    Py_CLEAR(w->numbers);
    Py_CLEAR(w->client);
    PyMem_Free(w->queued);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"close", window_close, METH_NOARGS,
     PyDoc_STR("close()\n--\n\nEnds the iteration. Messages requested in advance are read and\n"
               "discarded before the connection's next command.")},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)PyDoc_STR("Iterator over (number, message); see POP3.retr_many().")},
    {Py_tp_methods, methods},
    {Py_tp_iter, (void *)PyObject_SelfIter},
    {Py_tp_iternext, (void *)window_next},
    {Py_tp_traverse, (void *)window_traverse},
    {Py_tp_clear, (void *)window_clear},
    {Py_tp_dealloc, (void *)window_dealloc},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "cpoplib._Window",
    .basicsize = sizeof(cpoplib_window),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = slots,
};

/* The window's size from the caller's argument: 0 with an exception. */
static Py_ssize_t window_size(PyObject *argument)
{
    if (argument == NULL)
        return DEFAULT_SIZE;
    Py_ssize_t size = PyNumber_AsSsize_t(argument, PyExc_ValueError);
    if (size == -1 && PyErr_Occurred())
        return 0;
    if (size < 1 || size > MAX_SIZE) {
        PyErr_Format(PyExc_ValueError, "window must be from 1 to %d", MAX_SIZE);
        return 0;
    }
    return size;
}

/* NULL with an exception. The caller holds it once. */
static cpoplib_asked *make_asked(const cpoplib_state *state, cpoplib_client *client)
{
    cpoplib_asked *asked = PyMem_Calloc(1, sizeof *asked);
    PyObject *ready = asked == NULL ? PyErr_NoMemory() : PyList_New(0);
    if (ready == NULL) {
        PyMem_Free(asked);
        return NULL;
    }
    asked->ready = ready;
    asked->run = (cpoplib_run){.state = state,
                               .client = client,
                               .on_event = on_event,
                               .target = asked,
                               .message = {.wanted = true},
                               .holders = 1,
                               .free = free_asked};
    return asked;
}

PyObject *cpoplib_retr_many(PyObject *self, PyObject *numbers, PyObject *window)
{
    const cpoplib_state *state = cpoplib_state_of(self);
    Py_ssize_t size = window_size(window);
    if (size == 0)
        return NULL;
    PyObject *iterator = PyObject_GetIter(numbers);
    if (iterator == NULL)
        return NULL;
    cpoplib_window *w = (cpoplib_window *)state->window_type->tp_alloc(state->window_type, 0);
    if (w == NULL) {
        Py_DECREF(iterator);
        return NULL;
    }
    Py_INCREF(self);
    w->client = (cpoplib_client *)self;
    w->numbers = iterator;
    w->size = size;
    w->queued = PyMem_New(uint32_t, (size_t)size);
    if (w->queued == NULL)
        PyErr_NoMemory();
    else
        w->asked = make_asked(state, w->client);
    if (w->asked == NULL)
        Py_CLEAR(w);
    return (PyObject *)w;
}

int cpoplib_add_window(PyObject *module, cpoplib_state *state)
{
    state->window_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
    if (state->window_type == NULL)
        return -1;
    state->window_type->tp_new = NULL; /* only retr_many() makes one */
    return 0;
}

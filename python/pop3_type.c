/* The type POP3: its life, its attributes, its documentation. */
#include "pop3_type.h"

#include "engine_io.h"
#include "extras.h"
#include "pop3_methods.h"

#include <stddef.h>

static int pop3_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((cpoplib_client *)self)->dict);
    return 0;
}

static int pop3_clear(PyObject *self)
{
    Py_CLEAR(((cpoplib_client *)self)->dict);
    return 0;
}

static void pop3_dealloc(PyObject *self)
{
    cpoplib_client *client = (cpoplib_client *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (client->weakrefs != NULL)
        PyObject_ClearWeakRefs(self);
    cpoplib_forget_engine(client);
    Py_CLEAR(client->kept);
    Py_CLEAR(client->dict);
    type->tp_free(self);
    Py_DECREF(type);
}

#if PY_VERSION_HEX >= 0x030B0000
/* The state of an object written in Python. Without it the fields outside of the instance's dict
 * would forbid copies; a copy does not have them. */
static PyObject *getstate(PyObject *self, PyObject *Py_UNUSED(unused))
{
    return PyObject_CallMethod((PyObject *)&PyBaseObject_Type, "__getstate__", "O", self);
}
#endif

static PyMethodDef methods[] = {
#if PY_VERSION_HEX >= 0x030B0000
    {"__getstate__", getstate, METH_NOARGS, NULL},
#endif
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    {"__dictoffset__", T_PYSSIZET, offsetof(cpoplib_client, dict), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(cpoplib_client, weakrefs), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef properties[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {"capabilities", cpoplib_capabilities, NULL,
     PyDoc_STR(
         "What the server announces, as Capabilities: requested once, and again after login and\n"
         "STLS."),
     NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(
    pop3_doc,
    "A connection to a POP3 server, with the interface of poplib.POP3.\n\n"
    "The constructor connects and reads the greeting. The default timeout is that of\n"
    "socket.setdefaulttimeout(). Replies are bytes; a refusal by the server, or a violation of\n"
    "the protocol, raises error_proto. As a context manager it quits at the end, or closes\n"
    "without deleting anything when an exception leaves the block.");

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)pop3_doc},
    {Py_tp_methods, methods},
    {Py_tp_members, members},
    {Py_tp_getset, properties},
    {Py_tp_traverse, (void *)pop3_traverse},
    {Py_tp_clear, (void *)pop3_clear},
    {Py_tp_dealloc, (void *)pop3_dealloc},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "cpoplib.POP3",
    .basicsize = sizeof(cpoplib_client),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = slots,
};

/* Class attributes that poplib.POP3 has: users read and override them. */
static int add_attributes(const cpoplib_state *state, PyObject *type)
{
    PyObject *encoding = PyUnicode_FromString("UTF-8");
    int result = cpoplib_set(state, type, NAME_ENCODING, encoding);
    PyObject *re = result < 0 ? NULL : PyImport_ImportModule("re");
    if (re == NULL)
        return -1;
    PyObject *pattern = PyObject_CallMethod(re, "compile", "y", "\\+OK.[^<]*(<.*>)");
    Py_DECREF(re);
    return cpoplib_set(state, type, NAME_TIMESTAMP, pattern);
}

int cpoplib_add_pop3(PyObject *module, cpoplib_state *state)
{
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    state->pop3_type = (PyTypeObject *)type;
    if (type == NULL || add_attributes(state, type) < 0 ||
        cpoplib_add_methods(state, state->pop3_type, cpoplib_pop3_methods) < 0)
        return -1;
    for (size_t i = 0; i < OWN_METHODS; i++) {
        state->own[i] = cpoplib_get(state, type, (cpoplib_name)i);
        if (state->own[i] == NULL)
            return -1;
    }
    return PyDict_SetItemString(state->globals, "POP3", type);
}

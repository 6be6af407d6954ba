/* The type of POP3's methods: called in C, and inspected like functions of Python. */
#include "function.h"

#include <stddef.h>
#include <string.h>

typedef struct cpoplib_function {
    PyObject_HEAD vectorcallfunc vectorcall;
    const cpoplib_method *method;
    PyTypeObject *owner; /* the class it is a method of */
    PyObject *twin; /* a function of Python with the same parameters, created when it is needed */
} cpoplib_function;

static cpoplib_function *as_function(PyObject *self)
{
    return (cpoplib_function *)self;
}

static PyObject *call(PyObject *callable, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    const cpoplib_function *f = as_function(callable);
    Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
    if (nargs < 1 || !PyObject_TypeCheck(args[0], f->owner))
        return PyErr_Format(PyExc_TypeError,
                            "%s.%s() needs an instance of %s as its first argument",
                            f->method->type, f->method->name, f->method->type);
    return f->method->call(args[0], args + 1, nargs - 1, kwnames);
}

static PyObject *bind(PyObject *self, PyObject *object, PyObject *Py_UNUSED(type))
{
    if (object == NULL || object == Py_None)
        return cpoplib_new_reference(self);
    return PyMethod_New(self, object);
}

/* Sets the attributes of a function besides its parameters. 0, or -1 with an exception. */
static int describe(PyObject *twin, const cpoplib_method *m)
{
    PyObject *name = PyUnicode_FromString(m->name);
    PyObject *qualified = PyUnicode_FromFormat("%s.%s", m->type, m->name);
    PyObject *doc = PyUnicode_FromString(m->doc);
    int result = -1;
    if (name != NULL && qualified != NULL && doc != NULL &&
        PyObject_SetAttrString(twin, "__name__", name) == 0 &&
        PyObject_SetAttrString(twin, "__qualname__", qualified) == 0)
        result = PyObject_SetAttrString(twin, "__doc__", doc);
    Py_XDECREF(doc);
    Py_XDECREF(qualified);
    Py_XDECREF(name);
    return result;
}

/* The twin, a new reference. */
static PyObject *find_twin(cpoplib_function *f)
{
    PyObject *known = cpoplib_field((PyObject *)f, &f->twin);
    if (known != NULL)
        return known;
    const cpoplib_state *state = cpoplib_state_of((PyObject *)f);
    const char *inner = f->method->parameters + 1; /* between the brackets */
    PyObject *list = PyUnicode_FromStringAndSize(inner, (Py_ssize_t)strlen(inner) - 1);
    PyObject *source = list == NULL ? NULL : PyUnicode_FromFormat("lambda %U: None", list);
    const char *text = source == NULL ? NULL : PyUnicode_AsUTF8(source);
    PyObject *twin = NULL;
    if (text != NULL)
        twin = PyRun_String(text, Py_eval_input, state->globals, state->globals);
    Py_XDECREF(source);
    Py_XDECREF(list);
    if (twin == NULL || describe(twin, f->method) < 0) {
        Py_XDECREF(twin);
        return NULL;
    }
    CPOPLIB_LOCK(f);
    if (f->twin == NULL)
        f->twin = cpoplib_new_reference(twin);
    CPOPLIB_UNLOCK();
    return twin;
}

/* inspect prefers the signature in __signature__. */
static PyObject *get_signature(PyObject *self, void *Py_UNUSED(unused))
{
    PyObject *twin = find_twin(as_function(self));
    PyObject *inspect = twin == NULL ? NULL : PyImport_ImportModule("inspect");
    PyObject *signature =
        inspect == NULL ? NULL : PyObject_CallMethod(inspect, "signature", "O", twin);
    Py_XDECREF(inspect);
    Py_XDECREF(twin);
    return signature;
}

/* unittest.mock checks a call only if isinstance(f, types.FunctionType). */
static PyObject *get_class(PyObject *Py_UNUSED(self), void *Py_UNUSED(unused))
{
    return cpoplib_new_reference((PyObject *)&PyFunction_Type);
}

static PyObject *get_name(PyObject *self, void *Py_UNUSED(unused))
{
    return PyUnicode_FromString(as_function(self)->method->name);
}

static PyObject *get_qualified_name(PyObject *self, void *Py_UNUSED(unused))
{
    const cpoplib_method *m = as_function(self)->method;
    return PyUnicode_FromFormat("%s.%s", m->type, m->name);
}

static PyObject *get_doc(PyObject *self, void *Py_UNUSED(unused))
{
    return PyUnicode_FromString(as_function(self)->method->doc);
}

/* Attributes that this type lacks are those of a function of Python: __defaults__, __code__,
 * __globals__ ... */
static PyObject *get_attribute(PyObject *self, PyObject *name)
{
    PyObject *value = PyObject_GenericGetAttr(self, name);
    if (value != NULL || !PyErr_ExceptionMatches(PyExc_AttributeError))
        return value;
    PyErr_Clear();
    PyObject *twin = find_twin(as_function(self));
    if (twin != NULL)
        value = PyObject_GetAttr(twin, name);
    Py_XDECREF(twin);
    return value;
}

static PyObject *function_repr(PyObject *self)
{
    const cpoplib_method *m = as_function(self)->method;
    return PyUnicode_FromFormat("<function %s.%s at %p>", m->type, m->name, (void *)self);
}

/* Copies are the function itself; pickles find it by its name, like a function of Python. */
static PyObject *reduce(PyObject *self, PyObject *Py_UNUSED(protocol))
{
    return get_qualified_name(self, NULL);
}

static int function_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(as_function(self)->owner);
    Py_VISIT(as_function(self)->twin);
    return 0;
}

static int function_clear(PyObject *self)
{
    Py_CLEAR(as_function(self)->twin);
    return 0;
}

static void function_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_CLEAR(as_function(self)->twin);
    Py_CLEAR(as_function(self)->owner);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef functions[] = {
    {"__reduce_ex__", reduce, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(cpoplib_function, vectorcall), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyGetSetDef properties[] = {
    {"__class__", get_class, NULL, NULL, NULL},
    {"__doc__", get_doc, NULL, NULL, NULL},
    {"__name__", get_name, NULL, NULL, NULL},
    {"__qualname__", get_qualified_name, NULL, NULL, NULL},
    {"__signature__", get_signature, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_methods, functions},
    {Py_tp_members, members},
    {Py_tp_getset, properties},
    {Py_tp_call, (void *)PyVectorcall_Call},
    {Py_tp_descr_get, (void *)bind},
    {Py_tp_getattro, (void *)get_attribute},
    {Py_tp_repr, (void *)function_repr},
    {Py_tp_traverse, (void *)function_traverse},
    {Py_tp_clear, (void *)function_clear},
    {Py_tp_dealloc, (void *)function_dealloc},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "cpoplib._Function",
    .basicsize = sizeof(cpoplib_function),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL |
             Py_TPFLAGS_METHOD_DESCRIPTOR,
    .slots = slots,
};

static int add_method(const cpoplib_state *state, PyTypeObject *type, const cpoplib_method *m)
{
    cpoplib_function *f =
        (cpoplib_function *)state->function_type->tp_alloc(state->function_type, 0);
    if (f == NULL)
        return -1;
    f->vectorcall = call;
    f->method = m;
    Py_INCREF(type);
    f->owner = type;
    int result = PyObject_SetAttrString((PyObject *)type, m->name, (PyObject *)f);
    Py_DECREF(f);
    return result;
}

int cpoplib_add_methods(const cpoplib_state *state, PyTypeObject *type,
                        const cpoplib_method *methods)
{
    type->tp_name = methods->type; /* in messages, types made in Python have no module before it */
    for (; methods->name != NULL; methods++) {
        if (add_method(state, type, methods) < 0)
            return -1;
    }
    return 0;
}

int cpoplib_add_function(PyObject *module, cpoplib_state *state)
{
    state->function_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
    if (state->function_type == NULL)
        return -1;
    state->function_type->tp_new = NULL; /* only a table of methods creates one */
    return 0;
}

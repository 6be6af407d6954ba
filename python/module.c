/* The module cpoplib: its constants, its types, its state. */
#include "block.h"
#include "engine_type.h"
#include "extras.h"
#include "function.h"
#include "pop3_type.h"
#include "reader.h"
#include "window.h"

/* Adds value to the module, and takes the reference to it in any case. */
static int add(const cpoplib_state *state, const char *name, PyObject *value)
{
    if (value == NULL)
        return -1;
    int result = PyDict_SetItemString(state->globals, name, value);
    Py_DECREF(value);
    return result;
}

/* The standard library's modules that are globals of poplib: programs use them to replace, for
 * instance, socket.create_connection. Not ssl, which is large: see cpoplib_global(). */
static int add_modules(const cpoplib_state *state)
{
    static const char *const modules[] = {"errno", "re", "socket", "sys"};
    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++) {
        if (add(state, modules[i], PyImport_ImportModule(modules[i])) < 0)
            return -1;
    }
    return 0;
}

/* Whether a finder of sys.meta_path finds a module. -1 with an exception. */
static int asks_finder(PyObject *finder, const char *name)
{
    PyObject *spec = PyObject_CallMethod(finder, "find_spec", "sO", name, Py_None);
    int found = spec == NULL ? -1 : spec != Py_None;
    Py_XDECREF(spec);
    if (found < 0 && PyErr_ExceptionMatches(PyExc_AttributeError)) {
        PyErr_Clear(); /* an old finder, which the import system ignores as well */
        found = 0;
    }
    return found;
}

/* Whether this Python was built with ssl: like importlib.util.find_spec(), whose import would take
 * an eighth of ours. */
static int find_ssl(void)
{
    PyObject *known = cpoplib_dict_value(PyImport_GetModuleDict(), "_ssl");
    if (known != NULL) {
        Py_DECREF(known);
        return known != Py_None;
    }
    PyObject *path = PyErr_Occurred() ? NULL : cpoplib_new_reference(PySys_GetObject("meta_path"));
    PyObject *finders = path == NULL ? NULL : PySequence_Tuple(path);
    Py_XDECREF(path);
    if (finders == NULL) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ImportError, "sys.meta_path is gone");
        return -1;
    }
    int found = 0;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(finders) && found == 0; i++)
        found = asks_finder(PyTuple_GET_ITEM(finders, i), "_ssl");
    Py_DECREF(finders);
    return found;
}

/* The module's __getattr__ (PEP 562). */
static PyObject *module_getattr(PyObject *module, PyObject *name)
{
    const cpoplib_state *state = PyModule_GetState(module); /* NULL until the module is complete */
    if (!PyUnicode_Check(name))
        return PyErr_Format(PyExc_TypeError, "attribute name must be string");
    if (state != NULL && PyUnicode_CompareWithASCIIString(name, "ssl") == 0)
        return cpoplib_global(state, NAME_SSL);
    return PyErr_Format(PyExc_AttributeError, "module 'cpoplib' has no attribute '%U'", name);
}

static int add_constants(const cpoplib_state *state, bool have_ssl)
{
    if (add(state, "HAVE_SSL", PyBool_FromLong(have_ssl)) < 0 ||
        add(state, "POP3_PORT", PyLong_FromLong(POP3_PORT)) < 0 ||
        add(state, "POP3_SSL_PORT", PyLong_FromLong(POP3_TLS_PORT)) < 0 ||
        add(state, "CR", PyBytes_FromString("\r")) < 0 ||
        add(state, "LF", PyBytes_FromString("\n")) < 0 ||
        add(state, "CRLF", PyBytes_FromString("\r\n")) < 0 ||
        add(state, "_MAXLINE", PyLong_FromLong(2048)) < 0 ||
        add(state, "__version__", PyUnicode_FromString(pop3_version())) < 0)
        return -1;
    PyObject *all = have_ssl ? Py_BuildValue("[sss]", "POP3", "error_proto", "POP3_SSL")
                             : Py_BuildValue("[ss]", "POP3", "error_proto");
    return add(state, "__all__", all);
}

static int add_exception(cpoplib_state *state)
{
    state->error_proto = PyErr_NewExceptionWithDoc(
        "cpoplib.error_proto", PyDoc_STR("The server refused a command or violated the protocol."),
        NULL, NULL);
    if (state->error_proto == NULL)
        return -1;
    return PyDict_SetItemString(state->globals, "error_proto", state->error_proto);
}

static int fill(PyObject *module)
{
    cpoplib_state *state = PyModule_GetState(module);
    int have_ssl = cpoplib_state_begin(state, module) < 0 ? -1 : find_ssl();
    if (have_ssl < 0 || add_modules(state) < 0 || add_constants(state, have_ssl) < 0 ||
        add_exception(state) < 0)
        return -1;
    if (cpoplib_add_wire(state) < 0 || cpoplib_add_function(module, state) < 0 ||
        cpoplib_add_block(module, state) < 0 || cpoplib_add_reader(module, state) < 0 ||
        cpoplib_add_window(module, state) < 0 || cpoplib_add_capabilities(state) < 0 ||
        cpoplib_add_engine(module, state) < 0 || cpoplib_add_pop3(module, state) < 0)
        return -1;
    return have_ssl ? cpoplib_add_pop3_ssl(module, state) : 0;
}

PyDoc_STRVAR(module_doc,
             "A POP3 client with the interface of the standard library's poplib, on a C engine.\n\n"
             "It can be imported instead of poplib. Additions:\n"
             "POP3.retr_bytes(), retr_into(), retr_many(), auth(), capabilities, and the use of a\n"
             "connection in a with statement.");

static PyMethodDef functions[] = {
    {"__getattr__", module_getattr, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)fill},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#if PY_VERSION_HEX >= 0x030D0000
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, /* m_base */
    .m_name = "cpoplib",
    .m_doc = module_doc,
    .m_size = sizeof(cpoplib_state),
    .m_methods = functions,
    .m_slots = slots,
    .m_traverse = cpoplib_state_traverse,
    .m_clear = cpoplib_state_clear,
    .m_free = cpoplib_state_free,
};

PyMODINIT_FUNC PyInit_cpoplib(void);

PyMODINIT_FUNC PyInit_cpoplib(void)
{
    return PyModuleDef_Init(&definition);
}

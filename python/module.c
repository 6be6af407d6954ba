/* The module cpoplib: its constants, its types, its state. */
#include "module.h"

#include "client.h"
#include "reader.h"
#include "window.h"

static const char *const name_texts[NAME_COUNT] = {
    [NAME_CREATE_SOCKET] = "_create_socket",
    [NAME_DEBUGGING] = "_debugging",
    [NAME_GETLINE] = "_getline",
    [NAME_GETLONGRESP] = "_getlongresp",
    [NAME_GETRESP] = "_getresp",
    [NAME_LONGCMD] = "_longcmd",
    [NAME_MAXLINE] = "_MAXLINE",
    [NAME_PUTCMD] = "_putcmd",
    [NAME_PUTLINE] = "_putline",
    [NAME_SHORTCMD] = "_shortcmd",
    [NAME_TLS_ESTABLISHED] = "_tls_established",
    [NAME_CLOSE] = "close",
    [NAME_CONTEXT] = "context",
    [NAME_CREATE_CONNECTION] = "create_connection",
    [NAME_CRLF] = "CRLF",
    [NAME_DECODE] = "decode",
    [NAME_DEFAULT_TIMEOUT] = "_GLOBAL_DEFAULT_TIMEOUT",
    [NAME_ENCODING] = "encoding",
    [NAME_FILE] = "file",
    [NAME_GROUP] = "group",
    [NAME_HEXDIGEST] = "hexdigest",
    [NAME_HOST] = "host",
    [NAME_MAKEFILE] = "makefile",
    [NAME_MATCH] = "match",
    [NAME_MD5] = "md5",
    [NAME_MODE_RB] = "rb",
    [NAME_PORT] = "port",
    [NAME_RAW] = "raw",
    [NAME_READINTO] = "readinto",
    [NAME_READLINE] = "readline",
    [NAME_SENDALL] = "sendall",
    [NAME_SHUTDOWN] = "shutdown",
    [NAME_SHUT_RDWR] = "SHUT_RDWR",
    [NAME_SOCK] = "sock",
    [NAME_SOCKET] = "socket",
    [NAME_SPLIT] = "split",
    [NAME_SSL] = "ssl",
    [NAME_STARTSWITH] = "startswith",
    [NAME_TIMESTAMP] = "timestamp",
    [NAME_WELCOME] = "welcome",
    [NAME_WRITE] = "write",
};

PyObject *cpoplib_get(const cpoplib_state *state, PyObject *object, cpoplib_name name)
{
    return PyObject_GetAttr(object, state->names[name]);
}

int cpoplib_set(const cpoplib_state *state, PyObject *object, cpoplib_name name, PyObject *value)
{
    if (value == NULL)
        return -1;
    int result = PyObject_SetAttr(object, state->names[name], value);
    Py_DECREF(value);
    return result;
}

void cpoplib_raise_text(const cpoplib_state *state, const char *text)
{
    PyErr_SetString(state->error_proto, text);
}

void cpoplib_raise_object(const cpoplib_state *state, PyObject *argument)
{
    PyObject *exception = PyObject_CallFunctionObjArgs(state->error_proto, argument, NULL);
    if (exception == NULL)
        return;
    PyErr_SetObject(state->error_proto, exception);
    Py_DECREF(exception);
}

PyObject *cpoplib_take_exception(void)
{
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    PyErr_NormalizeException(&type, &value, &traceback);
    if (traceback != NULL)
        PyException_SetTraceback(value, traceback);
    Py_XDECREF(type);
    Py_XDECREF(traceback);
    return value;
}

/* Puts an earlier exception, whose reference it steals, behind all that a later one has as context.
 */
static void add_context(PyObject *later, PyObject *earlier)
{
    PyObject *last = later, *next;
    while (last != earlier && (next = PyException_GetContext(last)) != NULL) {
        last = next;
        Py_DECREF(next); /* its owner keeps it alive */
    }
    if (last == earlier)
        Py_DECREF(earlier);
    else
        PyException_SetContext(last, earlier);
}

void cpoplib_restore_exception(PyObject *exception)
{
    if (PyErr_Occurred()) {
        PyObject *newer = cpoplib_take_exception();
        add_context(newer, exception);
        exception = newer;
    }
    PyObject *type = (PyObject *)Py_TYPE(exception);
    Py_INCREF(type);
    PyErr_Restore(type, exception, PyException_GetTraceback(exception));
}

bool cpoplib_plain_int(PyObject *object, Py_ssize_t *value)
{
    if (!PyLong_CheckExact(object))
        return false;
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(object, &overflow);
    if (overflow != 0 || number > PY_SSIZE_T_MAX || number < PY_SSIZE_T_MIN)
        return false;
    *value = (Py_ssize_t)number;
    return true;
}

/* Adds value to the module, and takes the reference to it in any case. */
static int add(const cpoplib_state *state, const char *name, PyObject *value)
{
    if (value == NULL)
        return -1;
    int result = PyDict_SetItemString(state->globals, name, value);
    Py_DECREF(value);
    return result;
}

/* The standard library's modules that poplib has as globals: people reach them through it, to
 * replace socket.create_connection say. Not ssl, which is large: see import_ssl(). */
static int add_modules(const cpoplib_state *state)
{
    static const char *const modules[] = {"errno", "re", "socket", "sys"};
    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++) {
        if (add(state, modules[i], PyImport_ImportModule(modules[i])) < 0)
            return -1;
    }
    return 0;
}

/* Whether this Python was built with ssl. -1 with an exception. */
static int find_ssl(void)
{
    PyObject *util = PyImport_ImportModule("importlib.util");
    if (util == NULL)
        return -1;
    PyObject *spec = PyObject_CallMethod(util, "find_spec", "s", "_ssl");
    Py_DECREF(util);
    if (spec == NULL)
        return -1;
    int found = spec != Py_None;
    Py_DECREF(spec);
    return found;
}

/* The module global ssl comes to be when it is first used: half of the memory, and most of the
 * time, that importing poplib takes is for it, and a connection without TLS has no use for it. */
static PyObject *import_ssl(const cpoplib_state *state)
{
    PyObject *ssl = PyImport_ImportModule("ssl");
    if (ssl != NULL && PyDict_SetItem(state->globals, state->names[NAME_SSL], ssl) < 0)
        Py_CLEAR(ssl);
    return ssl;
}

PyObject *cpoplib_global(const cpoplib_state *state, cpoplib_name name)
{
    PyObject *value = PyDict_GetItemWithError(state->globals, state->names[name]);
    if (value == NULL && !PyErr_Occurred()) {
        if (name == NAME_SSL)
            return import_ssl(state);
        PyErr_Format(PyExc_NameError, "name '%U' is not defined", state->names[name]);
    }
    Py_XINCREF(value);
    return value;
}

PyObject *cpoplib_dict_value(PyObject *dict, const char *key)
{
    PyObject *text = PyUnicode_FromString(key);
    if (text == NULL)
        return NULL;
    PyObject *value = PyDict_GetItemWithError(dict, text);
    Py_XINCREF(value);
    Py_DECREF(text);
    return value;
}

/* The module's __getattr__ (PEP 562). */
static PyObject *module_getattr(PyObject *module, PyObject *name)
{
    const cpoplib_state *state = PyModule_GetState(module); /* NULL before the module is filled */
    if (!PyUnicode_Check(name))
        return PyErr_Format(PyExc_TypeError, "attribute name must be string");
    if (state != NULL && PyUnicode_CompareWithASCIIString(name, "ssl") == 0)
        return import_ssl(state);
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
        "cpoplib.error_proto", PyDoc_STR("The server refused a command or broke the protocol."),
        NULL, NULL);
    if (state->error_proto == NULL)
        return -1;
    return PyDict_SetItemString(state->globals, "error_proto", state->error_proto);
}

static int fill(PyObject *module)
{
    cpoplib_state *state = PyModule_GetState(module);
    state->globals = PyModule_GetDict(module);
    for (size_t i = 0; i < NAME_COUNT; i++) {
        state->names[i] = PyUnicode_InternFromString(name_texts[i]);
        if (state->names[i] == NULL)
            return -1;
    }
    int have_ssl = find_ssl();
    if (have_ssl < 0 || add_modules(state) < 0 || add_constants(state, have_ssl) < 0 ||
        add_exception(state) < 0)
        return -1;
    if (cpoplib_add_reader(module, state) < 0 || cpoplib_add_window(module, state) < 0 ||
        cpoplib_add_capabilities(state) < 0 || cpoplib_add_pop3(module, state) < 0)
        return -1;
    return have_ssl ? cpoplib_add_pop3_ssl(module, state) : 0;
}

static int traverse(PyObject *module, visitproc visit, void *arg)
{
    cpoplib_state *state = PyModule_GetState(module);
    if (state == NULL)
        return 0;
    Py_VISIT(state->error_proto);
    Py_VISIT(state->pop3_type);
    Py_VISIT(state->pop3_ssl_type);
    Py_VISIT(state->reader_type);
    Py_VISIT(state->window_type);
    Py_VISIT(state->caps_type);
    Py_VISIT(state->buffered_reader);
    return 0;
}

static int clear(PyObject *module)
{
    cpoplib_state *state = PyModule_GetState(module);
    if (state == NULL)
        return 0;
    Py_CLEAR(state->error_proto);
    Py_CLEAR(state->pop3_type);
    Py_CLEAR(state->pop3_ssl_type);
    Py_CLEAR(state->reader_type);
    Py_CLEAR(state->window_type);
    Py_CLEAR(state->caps_type);
    Py_CLEAR(state->buffered_reader);
    for (size_t i = 0; i < NAME_COUNT; i++)
        Py_CLEAR(state->names[i]);
    return 0;
}

static void free_module(void *module)
{
    clear(module);
}

PyDoc_STRVAR(module_doc,
             "A POP3 client with the interface of the standard library's poplib, on a C engine.\n\n"
             "What poplib has, this module has: import it in poplib's place. Beyond it there are\n"
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
    {0, NULL},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, /* m_base */
    .m_name = "cpoplib",    .m_doc = module_doc,   .m_size = sizeof(cpoplib_state),
    .m_methods = functions, .m_slots = slots,      .m_traverse = traverse,
    .m_clear = clear,       .m_free = free_module,
};

cpoplib_state *cpoplib_state_of(PyObject *self)
{
    PyObject *mro = Py_TYPE(self)->tp_mro;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(mro); i++) {
        PyObject *type = PyTuple_GET_ITEM(mro, i);
        if (!PyType_HasFeature((PyTypeObject *)type, Py_TPFLAGS_HEAPTYPE))
            continue;
        PyObject *module = ((PyHeapTypeObject *)type)->ht_module;
        if (module != NULL && PyModule_GetDef(module) == &definition)
            return PyModule_GetState(module);
    }
    Py_FatalError("cpoplib: an object whose type does not come from the module");
}

PyMODINIT_FUNC PyInit_cpoplib(void);

PyMODINIT_FUNC PyInit_cpoplib(void)
{
    return PyModuleDef_Init(&definition);
}

/* Calls that fail on demand within Python: the module `faulting`, which is preloaded so that its
 * recv, read and others come before the C library's. Python's allocations fail through an allocator
 * of our own, those of libpop3's core through stand-ins that core_allocations.c has. Only the
 * thread that says go() sees faults, and only until it says pause(). */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "faulting.h"

#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum extent { ONCE, FROM_THERE, EVERY_OTHER, EXTENTS };
/* END, ONE_OCTET: for input, output. SIGNAL: a signal comes while recv fails. */
enum effect { FAIL, END, ONE_OCTET, SIGNAL, EFFECTS };

static struct plan {
    faulting_call call;
    unsigned long n; /* the first call has number 1 */
    enum extent extent;
    enum effect effect;
    int error; /* errno */
} plan;

static _Thread_local bool going;
static unsigned long calls[FAULTING_CALLS]; /* of the one thread that goes */
static bool hit;
static atomic_long blocks; /* of memory, that are not freed */

bool faulting_fails(faulting_call call)
{
    if (!going)
        return false;
    unsigned long n = ++calls[call];
    if (plan.call != call)
        return false;
    bool now = (plan.extent == ONCE && n == plan.n) || (plan.extent == FROM_THERE && n >= plan.n) ||
               (plan.extent == EVERY_OTHER && n % 2 == 1);
    if (now) {
        hit = true;
        errno = plan.error;
    }
    return now;
}

void faulting_count(long more)
{
    atomic_fetch_add(&blocks, more);
}

/* Python's three kinds of memory. */

static PyMemAllocatorEx original[3];

static void *python_malloc(void *ctx, size_t size)
{
    const PyMemAllocatorEx *a = ctx;
    void *p = faulting_fails(FAULTING_PYTHON) ? NULL : a->malloc(a->ctx, size);
    if (p != NULL)
        faulting_count(1);
    return p;
}

static void *python_calloc(void *ctx, size_t n, size_t size)
{
    const PyMemAllocatorEx *a = ctx;
    void *p = faulting_fails(FAULTING_PYTHON) ? NULL : a->calloc(a->ctx, n, size);
    if (p != NULL)
        faulting_count(1);
    return p;
}

static void *python_realloc(void *ctx, void *old, size_t size)
{
    const PyMemAllocatorEx *a = ctx;
    void *p = faulting_fails(FAULTING_PYTHON) ? NULL : a->realloc(a->ctx, old, size);
    if (p != NULL && old == NULL)
        faulting_count(1);
    return p;
}

static void python_free(void *ctx, void *p)
{
    const PyMemAllocatorEx *a = ctx;
    if (p != NULL)
        faulting_count(-1);
    a->free(a->ctx, p);
}

static void install(void)
{
    static const PyMemAllocatorDomain domains[] = {PYMEM_DOMAIN_RAW, PYMEM_DOMAIN_MEM,
                                                   PYMEM_DOMAIN_OBJ};
    for (size_t i = 0; i < 3; i++) {
        PyMem_GetAllocator(domains[i], &original[i]);
        PyMemAllocatorEx ours = {&original[i], python_malloc, python_calloc, python_realloc,
                                 python_free};
        PyMem_SetAllocator(domains[i], &ours);
    }
}

/* The system's calls: Python uses recv and send, OpenSSL read and write. */

static bool is_socket(int fd)
{
    struct stat about;
    return going && fstat(fd, &about) == 0 && S_ISSOCK(about.st_mode);
}

ssize_t recv(int fd, void *buffer, size_t len, int flags)
{
    static ssize_t (*real)(int, void *, size_t, int);
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "recv");
    if (!faulting_fails(FAULTING_INPUT))
        return real(fd, buffer, len, flags);
    if (plan.effect == ONE_OCTET)
        return real(fd, buffer, len > 0 ? 1 : 0, flags);
    if (plan.effect == SIGNAL) {
        raise(SIGUSR1);
        errno = plan.error;
    }
    return plan.effect == END ? 0 : -1;
}

ssize_t read(int fd, void *buffer, size_t len)
{
    static ssize_t (*real)(int, void *, size_t);
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "read");
    if (!is_socket(fd) || !faulting_fails(FAULTING_INPUT))
        return real(fd, buffer, len);
    if (plan.effect == ONE_OCTET)
        return real(fd, buffer, len > 0 ? 1 : 0);
    return plan.effect == END ? 0 : -1;
}

ssize_t send(int fd, const void *data, size_t len, int flags)
{
    static ssize_t (*real)(int, const void *, size_t, int);
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "send");
    if (!faulting_fails(FAULTING_OUTPUT))
        return real(fd, data, len, flags);
    return plan.effect == ONE_OCTET ? real(fd, data, len > 0 ? 1 : 0, flags) : -1;
}

ssize_t write(int fd, const void *data, size_t len)
{
    static ssize_t (*real)(int, const void *, size_t);
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "write");
    if (!is_socket(fd) || !faulting_fails(FAULTING_OUTPUT))
        return real(fd, data, len);
    return plan.effect == ONE_OCTET ? real(fd, data, len > 0 ? 1 : 0) : -1;
}

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
    static int (*real)(struct pollfd *, nfds_t, int);
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "poll");
    return faulting_fails(FAULTING_POLL) ? -1 : real(fds, n, timeout);
}

int connect(int fd, const struct sockaddr *at, socklen_t len)
{
    static int (*real)(int, const struct sockaddr *, socklen_t);
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "connect");
    return faulting_fails(FAULTING_CONNECT) ? -1 : real(fd, at, len);
}

int socket(int family, int type, int protocol)
{
    static int (*real)(int, int, int);
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "socket");
    return faulting_fails(FAULTING_SOCKET) ? -1 : real(family, type, protocol);
}

/* The module. */

static PyObject *plan_fault(PyObject *Py_UNUSED(module), PyObject *args)
{
    int call, extent, effect, error;
    unsigned long n;
    if (!PyArg_ParseTuple(args, "ikiii", &call, &n, &extent, &effect, &error))
        return NULL;
    if (call < 0 || call >= FAULTING_CALLS || extent < 0 || extent >= EXTENTS || effect < 0 ||
        effect >= EFFECTS)
        return PyErr_Format(PyExc_ValueError, "no such fault");
    plan = (struct plan){(faulting_call)call, n, (enum extent)extent, (enum effect)effect, error};
    memset(calls, 0, sizeof calls);
    hit = false;
    Py_RETURN_NONE;
}

static PyObject *go(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused))
{
    going = true;
    Py_RETURN_NONE;
}

static PyObject *pause_faults(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused))
{
    going = false;
    Py_RETURN_NONE;
}

static PyObject *was_hit(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused))
{
    return PyBool_FromLong(hit);
}

static PyObject *count_blocks(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused))
{
    return PyLong_FromLong(atomic_load(&blocks));
}

static PyMethodDef functions[] = {
    {"plan", plan_fault, METH_VARARGS,
     PyDoc_STR(
         "plan(call, n, extent, effect, errno): what is to fail, counted from the next go()")},
    {"go", go, METH_NOARGS, PyDoc_STR("Faults happen from here on, in this thread.")},
    {"pause", pause_faults, METH_NOARGS, PyDoc_STR("Until here.")},
    {"hit", was_hit, METH_NOARGS, PyDoc_STR("Whether a call has failed as planned.")},
    {"blocks", count_blocks, METH_NOARGS, PyDoc_STR("Blocks of memory that are in use.")},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "faulting",   .m_doc = "Calls that fail on demand.",
    .m_size = -1,          .m_methods = functions,
};

PyMODINIT_FUNC PyInit_faulting(void);

PyMODINIT_FUNC PyInit_faulting(void)
{
    static const char *const names[] = {"PYTHON", "CORE",    "INPUT", "OUTPUT",
                                        "POLL",   "CONNECT", "SOCKET"};
    PyObject *module = PyModule_Create(&definition);
    for (int i = 0; i < FAULTING_CALLS && module != NULL; i++) {
        if (PyModule_AddIntConstant(module, names[i], i) < 0)
            Py_CLEAR(module);
    }
    if (module != NULL && (PyModule_AddIntConstant(module, "ONCE", ONCE) < 0 ||
                           PyModule_AddIntConstant(module, "FROM_THERE", FROM_THERE) < 0 ||
                           PyModule_AddIntConstant(module, "EVERY_OTHER", EVERY_OTHER) < 0 ||
                           PyModule_AddIntConstant(module, "FAIL", FAIL) < 0 ||
                           PyModule_AddIntConstant(module, "END", END) < 0 ||
                           PyModule_AddIntConstant(module, "ONE_OCTET", ONE_OCTET) < 0 ||
                           PyModule_AddIntConstant(module, "SIGNAL", SIGNAL) < 0))
        Py_CLEAR(module);
    if (module != NULL)
        install();
    return module;
}

/* A block of memory for Python code. */
#include "block.h"

#include <stddef.h>

static int get_buffer(PyObject *self, Py_buffer *view, int flags)
{
    cpoplib_block *block = (cpoplib_block *)self;
    return PyBuffer_FillInfo(view, self, block->data + block->shown_from,
                             Py_SIZE(self) - block->shown_from, 0, flags);
}

static void block_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)PyDoc_STR("The buffer of a connection's file.")},
    {Py_tp_dealloc, (void *)block_dealloc},
    {Py_bf_getbuffer, (void *)get_buffer},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "cpoplib._Block",
    .basicsize = offsetof(cpoplib_block, data),
    .itemsize = 1,
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = slots,
};

cpoplib_block *cpoplib_block_new(const cpoplib_state *state, Py_ssize_t size)
{
    cpoplib_block *block = PyObject_NewVar(cpoplib_block, state->block_type, size);
    if (block != NULL)
        block->shown_from = 0;
    return block;
}

int cpoplib_add_block(PyObject *module, cpoplib_state *state)
{
    state->block_type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &spec, NULL);
    if (state->block_type == NULL)
        return -1;
    state->block_type->tp_new = NULL; /* only a reader creates one */
    return 0;
}

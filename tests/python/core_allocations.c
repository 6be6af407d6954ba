/* What the core's allocations become in the cpoplib that python-faults tests, through the linker's
 * --wrap: they are counted, and fail on demand. */
#include "faulting.h"

#include <stddef.h>

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __real_free(void *p);
void __wrap_free(void *p);

static void *counted(void *p)
{
    if (p != NULL)
        faulting_count(1);
    return p;
}

void *__wrap_malloc(size_t size)
{
    return faulting_fails(FAULTING_CORE) ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return faulting_fails(FAULTING_CORE) ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t size)
{
    if (faulting_fails(FAULTING_CORE))
        return NULL;
    return p == NULL ? counted(__real_realloc(p, size)) : __real_realloc(p, size);
}

void __wrap_free(void *p)
{
    if (p != NULL)
        faulting_count(-1);
    __real_free(p);
}

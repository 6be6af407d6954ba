/* Wiping of secrets: stores of zeros that the compiler may not remove. */
#include "core/wipe.h"

#include <stdlib.h>
#include <string.h>

/* The compiler cannot prove that a call through a volatile pointer has no effect. */
static void *(*const volatile wipe_with)(void *, int, size_t) = memset;

void p3_wipe(void *p, size_t n)
{
    if (n > 0)
        wipe_with(p, 0, n);
}

void p3_wipe_free(void *p, size_t n)
{
    if (p == NULL)
        return;
    p3_wipe(p, n);
    free(p);
}

/* Wiping of secrets: a call that the compiler cannot remove, because it does not know the function.
 */
#include "system/erase.h"

#include <string.h>

static void *(*const volatile store)(void *, int, size_t) = memset;

void p3_erase(void *p, size_t n)
{
    (void)store(p, 0, n);
}

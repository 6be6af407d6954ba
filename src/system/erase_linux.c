/* Wiping of secrets: explicit_bzero(3). */
#include "system/erase.h"

#include <string.h>

void p3_erase(void *p, size_t n)
{
    explicit_bzero(p, n);
}

/* Arrays that grow to a size that nobody knows beforehand. */
#include "sync/grow.h"

#include <stdint.h>
#include <stdlib.h>

/* Octets of the first piece: twice what the C library begins to map at (M_MMAP_THRESHOLD). */
#define P3_GROW_FIRST ((size_t)256 * 1024)

void *p3_grow(void *at, size_t *cap, size_t needed, size_t size)
{
    if (at != NULL && needed <= *cap)
        return at;
    size_t larger = P3_GROW_FIRST / size;
    if (larger < *cap * 2)
        larger = *cap * 2;
    if (larger < needed)
        larger = needed;
    void *grown = larger <= SIZE_MAX / size ? realloc(at, larger * size) : NULL;
    if (grown != NULL)
        *cap = larger;
    return grown;
}

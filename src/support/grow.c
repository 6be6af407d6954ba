/* Arrays that grow to a size that nobody knows beforehand. */
#include "support/grow.h"

#include <stdint.h>
#include <stdlib.h>

#define P3_FIRST_OCTETS ((size_t)1024)

void *p3_grow(void *at, p3_room *room, size_t needed, size_t size)
{
    if (needed > SIZE_MAX / size)
        return NULL;
    needed *= size;
    if (at != NULL && needed <= room->octets)
        return at;
    size_t octets = room->octets + room->octets / 2;
    if (octets < P3_FIRST_OCTETS)
        octets = P3_FIRST_OCTETS;
    if (octets < needed)
        octets = needed;
    void *grown = realloc(at, octets);
    if (grown != NULL)
        room->octets = octets;
    return grown;
}

/* Growing arrays. */
#include "support/grow.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define P3_FIRST_OCTETS ((size_t)1024)

bool p3_grow(void *array, p3_room *room, size_t needed, size_t size)
{
    void *at;
    memcpy(&at, array, sizeof at); /* whatever it points to */
    if (needed > SIZE_MAX / size)
        return false;
    needed *= size;
    if (at != NULL && needed <= room->octets)
        return true;
    size_t octets = room->octets + room->octets / 2;
    if (octets < P3_FIRST_OCTETS)
        octets = P3_FIRST_OCTETS;
    if (octets < needed)
        octets = needed;
    void *grown = realloc(at, octets);
    if (grown == NULL)
        return false;
    memcpy(array, &grown, sizeof grown);
    room->octets = octets;
    return true;
}

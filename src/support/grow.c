/* Arrays that grow to a size that nobody knows beforehand. */
#include "support/grow.h"

#include <stdint.h>
#include <stdlib.h>

#include "system/pages.h"

/* Octets of the first piece: enough for a small mailbox. */
#define P3_SMALL ((size_t)4 * 1024)

/* Octets of the next: twice what the C library begins to map at (M_MMAP_THRESHOLD). */
#define P3_PIECE ((size_t)256 * 1024)

/* Octets of it that are ready at first. */
#define P3_READY ((size_t)32 * 1024)

/* So many octets more become ready: as many as there are, within bounds. */
static size_t step_from(size_t ready)
{
    if (ready < P3_SMALL)
        return P3_SMALL;
    if (ready < P3_READY)
        return P3_READY - ready;
    if (ready < P3_PIECE)
        return ready;
    return ready / 4 > P3_PIECE ? ready / 4 : P3_PIECE;
}

void *p3_grow(void *at, p3_room *room, size_t needed, size_t size)
{
    if (needed > SIZE_MAX / size)
        return NULL;
    needed *= size;
    if (at != NULL && needed <= room->ready)
        return at;
    size_t old = room->ready;
    size_t ready = old + step_from(old);
    if (ready < needed)
        ready = needed;
    if (at == NULL || ready > room->allocated) {
        size_t allocated = ready > P3_PIECE || ready <= P3_SMALL ? ready : P3_PIECE;
        void *grown = realloc(at, allocated);
        if (grown == NULL)
            return NULL;
        at = grown;
        room->allocated = allocated;
    }
    if (ready > P3_SMALL)
        p3_pages_populate((char *)at + old, (char *)at + ready);
    room->ready = ready;
    return at;
}

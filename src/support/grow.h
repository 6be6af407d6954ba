/* Arrays that grow to a size that nobody knows beforehand. */
#ifndef P3_SUPPORT_GROW_H
#define P3_SUPPORT_GROW_H

#include <stddef.h>

/* The room of an array, in octets. Starts from zero. */
typedef struct p3_room {
    size_t ready;     /* may be used */
    size_t allocated; /* so much can become ready without another allocation */
} p3_room;

/* Makes room for `needed` elements of `size` octets: returns where they are from now on. Returns
 * NULL when out of memory; the array is then as it was. `at` is NULL at first; free() it.
 *
 * But for a small one, a piece is so large that the C library maps it: what is never used costs
 * nothing, and to grow means to move page tables, not octets. The system is asked for pages before
 * they are used, many at a time, as a fault for each costs more than all else that is done with it.
 */
void *p3_grow(void *at, p3_room *room, size_t needed, size_t size);

#endif

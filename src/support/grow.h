/* Arrays that grow to a size that nobody knows beforehand. */
#ifndef P3_SUPPORT_GROW_H
#define P3_SUPPORT_GROW_H

#include <stddef.h>

/* The room of an array. Starts from zero. */
typedef struct p3_room {
    size_t octets;
} p3_room;

/* Makes room for `needed` elements of `size` octets: returns where they are from now on. Returns
 * NULL when out of memory; the array is then as it was. `at` is NULL at first; free() it. */
void *p3_grow(void *at, p3_room *room, size_t needed, size_t size);

#endif

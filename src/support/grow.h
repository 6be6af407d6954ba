/* Growing arrays. */
#ifndef P3_SUPPORT_GROW_H
#define P3_SUPPORT_GROW_H

#include <stdbool.h>
#include <stddef.h>

/* The capacity of an array. Starts from zero. */
typedef struct p3_room {
    size_t octets;
} p3_room;

/* Makes room for `needed` elements of `size` octets. Returns false when out of memory; the array is
 * unchanged then. `array` points to the pointer to the elements, which is NULL at first, and is
 * changed; free() it. */
bool p3_grow(void *array, p3_room *room, size_t needed, size_t size);

#endif

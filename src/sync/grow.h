/* Arrays that grow to a size that nobody knows beforehand. */
#ifndef P3_SYNC_GROW_H
#define P3_SYNC_GROW_H

#include <stddef.h>

/* Makes room for `needed` elements of `size` octets: returns where they are from now on, and sets
 * *cap. Returns NULL when out of memory; the array is then as it was. `at` is NULL at first.
 *
 * The first piece is so large that the C library maps it: pages that are never used cost nothing,
 * and to grow means to move page tables, not octets. */
void *p3_grow(void *at, size_t *cap, size_t needed, size_t size);

#endif

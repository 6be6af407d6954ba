/* Sorting with a context. */
#ifndef P3_SYSTEM_SORT_H
#define P3_SYSTEM_SORT_H

#include <stddef.h>

/* Sorts `count` elements of `size` octets. compare() gets `ctx` last, and returns what qsort(3)
 * expects. The order of equal elements is unspecified. */
void p3_sort(void *base, size_t count, size_t size,
             int (*compare)(const void *, const void *, void *), void *ctx);

#endif

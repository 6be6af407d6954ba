/* Sorting with a context: qsort_r(3), whose arguments differ between systems. */
#include "system/sort.h"

#include <stdlib.h>

void p3_sort(void *base, size_t count, size_t size,
             int (*compare)(const void *, const void *, void *), void *ctx)
{
    qsort_r(base, count, size, compare, ctx);
}

/* Sorting with a context: a heap sort, which needs no memory. */
#include "system/sort.h"

static void swap(char *a, char *b, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        char octet = a[i];
        a[i] = b[i];
        b[i] = octet;
    }
}

void p3_sort(void *base, size_t count, size_t size,
             int (*compare)(const void *, const void *, void *), void *ctx)
{
    char *at = base;
    size_t end = count;
    for (size_t start = count / 2; end > 1;) {
        if (start > 0)
            start--; /* the heap grows downwards */
        else
            swap(at, at + --end * size, size); /* its largest element goes after it */
        for (size_t i = start, child; (child = 2 * i + 1) < end; i = child) {
            if (child + 1 < end && compare(at + child * size, at + (child + 1) * size, ctx) < 0)
                child++;
            if (compare(at + i * size, at + child * size, ctx) >= 0)
                break;
            swap(at + i * size, at + child * size, size);
        }
    }
}

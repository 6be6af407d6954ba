/* The order of left-over intents. */
#include "deliver/left_over.h"

#include <string.h>

int p3_left_over_compare(const void *a, const void *b)
{
    return strcmp(((const p3_left_over *)a)->name, ((const p3_left_over *)b)->name);
}

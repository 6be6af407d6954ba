/* An index of names. */
#include "settings/name_index.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

typedef struct p3_named_place {
    const char *name;
    size_t place;
} p3_named_place;

static int compare(const void *a, const void *b)
{
    return strcmp(((const p3_named_place *)a)->name, ((const p3_named_place *)b)->name);
}

bool p3_name_index_add(p3_name_index *x, const char *name, size_t place)
{
    p3_named_place *added = malloc(sizeof *added);
    if (added == NULL)
        return false;
    *added = (p3_named_place){name, place};
    if (tsearch(added, &x->root, compare) != NULL)
        return true;
    free(added);
    return false;
}

const size_t *p3_name_index_find(const p3_name_index *x, const char *name)
{
    p3_named_place wanted = {.name = name};
    p3_named_place *const *found = tfind(&wanted, &x->root, compare);
    return found != NULL ? &(*found)->place : NULL;
}

void p3_name_index_free(p3_name_index *x)
{
    tdestroy(x->root, free);
    x->root = NULL;
}

/* An index of names, in a search tree. */
#ifndef P3_SETTINGS_NAME_INDEX_H
#define P3_SETTINGS_NAME_INDEX_H

#include <stdbool.h>
#include <stddef.h>

typedef struct p3_name_index {
    void *root; /* of tsearch(3); NULL: empty */
} p3_name_index;

/* Adds a new name, which must exist as long as the index. Returns false when out of memory. */
bool p3_name_index_add(p3_name_index *x, const char *name, size_t place);

/* A pointer to a name's place, or NULL. */
const size_t *p3_name_index_find(const p3_name_index *x, const char *name);

void p3_name_index_free(p3_name_index *x);

#endif

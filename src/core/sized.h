/* Structs of the caller that begin with their size, because programs may be built with an older or
 * newer header than the library. */
#ifndef P3_CORE_SIZED_H
#define P3_CORE_SIZED_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Copies `theirs` octets of a caller's struct, or of a part of one, into ours. Members that are
 * missing are zero, and so have their default. Members that we do not know must be zero. Returns
 * false otherwise, or if no struct of ours ever had that size. */
static inline bool p3_import_sized(void *ours, size_t size, const void *from, size_t theirs)
{
    const char *octets = from;
    if (theirs > 2 * size || theirs % sizeof(int) != 0)
        return false;
    for (size_t i = size; i < theirs; i++) {
        if (octets[i] != 0)
            return false;
    }
    memset(ours, 0, size);
    memcpy(ours, from, theirs < size ? theirs : size);
    return true;
}

/* The same for a whole struct, whose first field is its size. */
static inline bool p3_import_struct(void *ours, size_t size, const void *from)
{
    size_t theirs;
    memcpy(&theirs, from, sizeof theirs);
    bool taken = theirs >= sizeof theirs && p3_import_sized(ours, size, from, theirs);
    if (taken)
        memcpy(ours, &size, sizeof size);
    return taken;
}

#endif

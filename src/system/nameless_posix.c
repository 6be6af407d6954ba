/* Files that are unlinked at once. */
#include "system/nameless.h"

int p3_nameless_file(const char *directory)
{
    return p3_nameless_unlinked(directory);
}

int p3_nameless_memory(void)
{
    return p3_nameless_unlinked(p3_nameless_directory());
}

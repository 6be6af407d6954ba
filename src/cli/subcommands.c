/* The subcommands, by name. Their table is generated from subcommands.ini. */
#include "cli/subcommands.h"

#include <string.h>

const p3_subcommand *p3_subcommand_find(const char *name)
{
    for (const p3_subcommand *s = p3_all_subcommands; s->name != NULL; s++) {
        if (strcmp(s->name, name) == 0)
            return s;
    }
    return NULL;
}

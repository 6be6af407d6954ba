/* Texts for users of the command; libpop3-collect has src/public/wording.c instead. */
#include "support/wording.h"

const char *p3_in_command(const char *words)
{
    return words;
}

/* No words of the command's: a program of others has no options of its command line. */
#include "support/wording.h"

const char *p3_in_command(const char *words)
{
    (void)words;
    return "";
}

/* No texts about the command's options: this library has no command line. */
#include "support/wording.h"

const char *p3_in_command(const char *words)
{
    (void)words;
    return "";
}

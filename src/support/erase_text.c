/* Wipes secret texts. */
#include "support/erase_text.h"

#include <stdlib.h>
#include <string.h>

#include "system/erase.h"

void p3_erase_text(char *text)
{
    if (text != NULL)
        p3_erase(text, strlen(text));
    free(text);
}

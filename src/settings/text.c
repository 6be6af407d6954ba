/* String functions. */
#include "settings/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

char *p3_text_join(const char *first, ...)
{
    va_list args;
    size_t size = 1;
    va_start(args, first);
    for (const char *s = first; s != NULL; s = va_arg(args, const char *))
        size += strlen(s);
    va_end(args);
    char *out = malloc(size);
    if (out == NULL)
        return NULL;
    char *at = out;
    va_start(args, first);
    for (const char *s = first; s != NULL; s = va_arg(args, const char *))
        at = stpcpy(at, s);
    *at = '\0';
    va_end(args);
    return out;
}

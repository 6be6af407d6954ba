/* Reads a message's header, field by field. */
#include "support/header_field.h"

#include <string.h>

#include "support/ascii.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

bool p3_field_next(const char **at, const char *end, p3_field *f)
{
    const char *from = *at;
    if (from == end || *from == '\n' || (*from == '\r' && from + 1 < end && from[1] == '\n'))
        return false;
    do {
        const char *lf = memchr(*at, '\n', (size_t)(end - *at));
        *at = lf != NULL ? lf + 1 : end;
    } while (*at < end && is_blank(**at));
    const char *colon = memchr(from, ':', (size_t)(*at - from));
    *f = (p3_field){.name = from, .value = colon != NULL ? colon + 1 : *at, .end = *at};
    const char *behind = colon != NULL ? colon : from;
    while (f->name < behind && is_blank(*f->name))
        f->name++;
    while (behind > f->name && is_blank(behind[-1]))
        behind--;
    f->name_len = (size_t)(behind - f->name);
    return true;
}

bool p3_field_is(const p3_field *f, const char *name)
{
    return strlen(name) == f->name_len && p3_ascii_equal(f->name, name, f->name_len);
}

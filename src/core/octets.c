/* Octets that may be secret: they are wiped when freed, and never moved without wiping. */
#include "core/octets.h"

#include "core/wipe.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

bool p3_octets_init(p3_octets *o, size_t n)
{
    *o = (p3_octets){0};
    if (n == SIZE_MAX)
        return false;
    o->data = malloc(n + 1);
    if (o->data == NULL)
        return false;
    o->size = n + 1;
    o->data[0] = '\0';
    return true;
}

static bool grow(p3_octets *o, size_t n)
{
    if (n > SIZE_MAX / 2 - o->len)
        return false;
    p3_octets larger;
    if (!p3_octets_init(&larger, 2 * (o->len + n)))
        return false;
    if (o->len > 0)
        memcpy(larger.data, o->data, o->len);
    larger.len = o->len;
    p3_octets_free(o);
    *o = larger;
    return true;
}

bool p3_octets_add(p3_octets *o, const char *data, size_t n)
{
    if (o->size < o->len + 1 + n && !grow(o, n))
        return false;
    if (n > 0)
        memcpy(o->data + o->len, data, n);
    o->len += n;
    o->data[o->len] = '\0';
    return true;
}

bool p3_octets_add_text(p3_octets *o, const char *text)
{
    return p3_octets_add(o, text, strlen(text));
}

bool p3_octets_add_texts(p3_octets *o, ...)
{
    va_list texts;
    bool ok = true;
    va_start(texts, o);
    for (const char *text; ok && (text = va_arg(texts, const char *)) != NULL;)
        ok = p3_octets_add_text(o, text);
    va_end(texts);
    return ok;
}

void p3_octets_free(p3_octets *o)
{
    p3_wipe_free(o->data, o->size);
    *o = (p3_octets){0};
}

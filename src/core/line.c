/* Lines: finds the end of a line in the input, in place if possible. */
#include "core/line.h"

#include "core/text.h"
#include "core/wipe.h"

#include <stdlib.h>
#include <string.h>

bool p3_line_init(p3_line *l, size_t cap)
{
    *l = (p3_line){.buffer = malloc(cap), .cap = cap};
    return l->buffer != NULL;
}

void p3_line_free(p3_line *l)
{
    p3_wipe_free(l->buffer, l->cap);
    *l = (p3_line){0};
}

pop3_str p3_line_strip(const char *data, size_t len, p3_line_end *how)
{
    *how = (p3_line_end){0};
    len--;
    if (len > 0 && data[len - 1] == '\r') {
        how->crlf = true;
        len--;
    } else if (len > 0 && data[0] == '\r') {
        how->leading_cr = true;
        data++;
        len--;
    }
    return p3_span(data, len);
}

p3_line_result p3_line_take(p3_line *l, const char **p, const char *end, pop3_str *line,
                            p3_line_end *how)
{
    size_t have = (size_t)(end - *p);
    if (have == 0)
        return P3_LINE_MORE;
    size_t room = l->cap - l->len;
    size_t look = have < room ? have : room;
    const char *lf = memchr(*p, '\n', look);
    if (lf == NULL && have >= room)
        return P3_LINE_TOO_LONG;
    size_t taken = lf == NULL ? have : (size_t)(lf - *p) + 1;
    if (lf != NULL && l->len == 0) {
        *line = p3_line_strip(*p, taken, how);
        *p += taken;
        return P3_LINE_READY;
    }
    memcpy(l->buffer + l->len, *p, taken);
    l->len += taken;
    *p += taken;
    if (lf == NULL)
        return P3_LINE_MORE;
    *line = p3_line_strip(l->buffer, l->len, how);
    l->len = 0;
    return P3_LINE_READY;
}

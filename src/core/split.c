/* Splits a listing or a message into lines, many at a time. */
#include "core/split.h"

#include "core/line.h"
#include "core/text.h"

#include <string.h>

/* The LF that ends the line at p; NULL when there is none within the longest line. */
static const char *find_end(p3_split *s, const char *p, size_t have)
{
    /* One octet more than allowed: a line whose LF follows the limit is too long. */
    size_t look = have <= s->longest ? have : s->longest + 1;
    if (s->scanned >= look)
        return NULL;
    const char *lf = memchr(p + s->scanned, '\n', look - s->scanned);
    s->scanned = lf == NULL ? look : 0;
    return lf;
}

/* Takes ordinary lines, which end with CRLF and do not begin with a dot. */
static const char *take_usual(p3_split *s, const char *at, const char *end)
{
    while (s->count < s->cap && s->scanned == 0) {
        size_t have = (size_t)(end - at);
        const char *lf = memchr(at, '\n', have < s->longest ? have : s->longest);
        if (lf == NULL || lf == at || lf[-1] != '\r' || *at == '.')
            break;
        size_t taken = (size_t)(lf - at) + 1;
        s->lines[s->count++] = p3_span(at, taken - 2);
        s->octets += taken;
        at += taken;
    }
    return at;
}

p3_split_result p3_split_take(p3_split *s, const char **p, const char *end)
{
    const char *at = *p;
    p3_split_result result = P3_SPLIT_FULL;
    s->count = 0;
    while ((at = take_usual(s, at, end)), s->count < s->cap) {
        size_t have = (size_t)(end - at);
        const char *lf = find_end(s, at, have);
        size_t taken = lf == NULL ? have : (size_t)(lf - at) + 1;
        if (taken > s->longest) {
            s->scanned = 0;
            result = P3_SPLIT_TOO_LONG;
            break;
        }
        if (lf == NULL) {
            result = P3_SPLIT_MORE;
            break;
        }
        p3_line_end how;
        pop3_str line = p3_line_strip(at, taken, &how);
        at += taken;
        if (line.len > 0 && line.data[0] == '.') {
            if (line.len == 1) {
                result = P3_SPLIT_END;
                break;
            }
            if (line.data[1] == '.') { /* stuffed (RFC 1939 §3) */
                line = p3_span(line.data + 1, line.len - 1);
                taken--;
            }
        }
        s->octets += taken;
        s->lines[s->count++] = line;
    }
    *p = at;
    return result;
}

/* The only functions that print. */
#include "cli/output.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/printable.h"

/* A UTF-16 unit in JSON (RFC 8259 §7). */
static bool escape(FILE *out, uint32_t unit)
{
    return fprintf(out, "\\u%04" PRIx32, unit) > 0;
}

static bool put_unsafe(const p3_printer *p, uint32_t c)
{
    if (!p->escapes)
        return true;
    if (c < 0x10000)
        return escape(p->out, c);
    return escape(p->out, 0xd7c0 + (c >> 10)) && escape(p->out, 0xdc00 | (c & 0x3ff));
}

static bool is_plain(char c)
{
    return (c >= ' ' && c < 0x7f) || c == '\n' || c == '\t';
}

/* Writes the character or invalid octet at the beginning, and returns its length; 0 when it is
 * incomplete. */
static size_t put_char(const p3_printer *p, const char *text, size_t len, bool *ok)
{
    uint32_t c = 0;
    size_t n = p3_utf8_char(text, len, &c);
    if (n == 0 && p3_utf8_is_cut(text, len))
        return 0;
    if (n == 0)
        *ok = fputs("\xef\xbf\xbd", p->out) >= 0 && *ok;
    else if (p3_char_kind_of(c) == P3_CHAR_VISIBLE || is_plain(text[0]))
        *ok = fwrite(text, 1, n, p->out) == n && *ok;
    else
        *ok = put_unsafe(p, c) && *ok;
    return n == 0 ? 1 : n;
}

/* Like put_char(), for many; returns how much was written. */
static size_t put_all(const p3_printer *p, const char *text, size_t len, bool *ok)
{
    size_t done = 0;
    while (done < len) {
        size_t n = done;
        while (n < len && is_plain(text[n]))
            n++;
        *ok = fwrite(text + done, 1, n - done, p->out) == n - done && *ok;
        done = n;
        n = done < len ? put_char(p, text + done, len - done, ok) : 0;
        if (n == 0)
            break;
        done += n;
    }
    return done;
}

bool p3_printer_put(p3_printer *p, const char *text, size_t len)
{
    bool ok = true;
    while (p->have > 0 && len > 0) {
        p->cut[p->have++] = *text++;
        len--;
        size_t done = put_all(p, p->cut, p->have, &ok);
        p->have -= done;
        memmove(p->cut, p->cut + done, p->have);
    }
    size_t done = put_all(p, text, len, &ok);
    memcpy(p->cut + p->have, text + done,
           len - done); /* at most three octets, and only if have is 0 */
    p->have += len - done;
    return ok;
}

bool p3_printer_end(p3_printer *p)
{
    bool ok = true;
    for (; p->have > 0; p->have--)
        ok = fputs("\xef\xbf\xbd", p->out) >= 0 && ok;
    return ok;
}

bool p3_print(FILE *out, const char *format, ...)
{
    char small[2048]; /* errors fit: they may be about exhausted memory */
    char *text = small;
    p3_printer p = {.out = out};
    va_list args;
    va_start(args, format);
    int n = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    if (n >= (int)sizeof small) {
        text = malloc((size_t)n + 1);
        va_start(args, format);
        if (text != NULL)
            n = vsnprintf(text, (size_t)n + 1, format, args);
        va_end(args);
    }
    bool ok = n >= 0 && text != NULL && p3_printer_put(&p, text, (size_t)n) && p3_printer_end(&p);
    if (text != small)
        free(text);
    return ok;
}

bool p3_write_octets(FILE *out, const char *data, size_t len)
{
    return fwrite(data, 1, len, out) == len;
}

void p3_erase_lines(FILE *out, unsigned lines)
{
    for (; lines > 0; lines--)
        fputs("\033[1A\033[2K", out);
    fflush(out);
}

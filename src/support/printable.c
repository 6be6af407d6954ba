/* Which characters may be printed. */
#include "support/printable.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define P3_REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* Format characters, Cf in the Unicode Character Database 15.0, including the reserved ones between
 * them. */
static const struct {
    uint32_t first, last;
} invisible[] = {
    {0x00ad, 0x00ad},   {0x0600, 0x0605},   {0x061c, 0x061c},   {0x06dd, 0x06dd},
    {0x070f, 0x070f},   {0x0890, 0x0891},   {0x08e2, 0x08e2},   {0x180e, 0x180e},
    {0x200b, 0x200f},   {0x202a, 0x202e},   {0x2060, 0x206f},   {0xfeff, 0xfeff},
    {0xfff0, 0xfffb},   {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f},
    {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe00ff},
};

p3_char_kind p3_char_kind_of(uint32_t c)
{
    if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029)
        return P3_CHAR_CONTROL;
    for (size_t i = 0; i < sizeof invisible / sizeof *invisible && c >= invisible[i].first; i++) {
        if (c <= invisible[i].last)
            return P3_CHAR_INVISIBLE;
    }
    return P3_CHAR_VISIBLE;
}

/* Octets of the character that begins with this one; 0: none. */
static size_t length_from(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

size_t p3_utf8_char(const char *text, size_t len, uint32_t *c)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *s = (const unsigned char *)text;
    size_t n = length_from(s[0]);
    if (n == 0 || n > len)
        return 0;
    *c = n == 1 ? s[0] : s[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        *c = (*c << 6) | (s[i] & 0x3fu);
    }
    return *c >= least[n] && *c <= 0x10ffff && (*c < 0xd800 || *c > 0xdfff) ? n : 0;
}

bool p3_utf8_is_cut(const char *text, size_t len)
{
    if (len == 0 || len >= length_from((unsigned char)text[0]))
        return false;
    for (size_t i = 1; i < len; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80)
            return false;
    }
    return true;
}

/* Room for the converted form of any text of this length: an octet becomes at most three. */
static char *make_room(size_t len)
{
    return len < SIZE_MAX / 3 ? malloc(len * 3 + 1) : NULL;
}

/* Frees unused room. */
static char *shrink_text(char *text, char *end)
{
    *end = '\0';
    char *fit = realloc(text, (size_t)(end - text) + 1);
    return fit != NULL ? fit : text;
}

char *p3_utf8_clean(const char *text, size_t len)
{
    char *out = make_room(len);
    char *to = out;
    uint32_t c = 0;
    for (size_t i = 0; out != NULL && i < len;) {
        size_t n = p3_utf8_char(text + i, len - i, &c);
        if (n == 0 || c == 0)
            to = stpcpy(to, P3_REPLACEMENT);
        else
            to = (char *)memcpy(to, text + i, n) + n;
        i += n == 0 ? 1 : n;
    }
    return out != NULL ? shrink_text(out, to) : NULL;
}

char *p3_line_clean(const char *text, size_t len)
{
    char *out = make_room(len);
    char *to = out;
    uint32_t c = 0;
    for (size_t i = 0; out != NULL && i < len;) {
        size_t n = p3_utf8_char(text + i, len - i, &c);
        p3_char_kind kind = n == 0 ? P3_CHAR_VISIBLE : p3_char_kind_of(c);
        bool blank = kind == P3_CHAR_CONTROL || (n == 1 && c == ' ');
        if (n == 0)
            to = stpcpy(to, P3_REPLACEMENT);
        else if (blank && to > out && to[-1] != ' ')
            *to++ = ' ';
        else if (!blank && kind == P3_CHAR_VISIBLE)
            to = (char *)memcpy(to, text + i, n) + n;
        i += n == 0 ? 1 : n;
    }
    while (to > out && to[-1] == ' ')
        to--;
    return out != NULL ? shrink_text(out, to) : NULL;
}

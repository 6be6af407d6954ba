/* Header fields for display. */
#include "support/rfc2047.h"

#include <errno.h>
#include <iconv.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "support/printable.h"

/* A growing string. */
typedef struct p3_grown {
    char *data;
    size_t len;
    size_t cap;
    bool failed;
} p3_grown;

static void add_octets(p3_grown *g, const char *data, size_t len)
{
    if (g->failed)
        return;
    if (g->cap - g->len <= len) {
        size_t cap = (g->cap + len + 32) * 2;
        char *grown = realloc(g->data, cap);
        if (grown == NULL) {
            g->failed = true;
            return;
        }
        g->data = grown;
        g->cap = cap;
    }
    if (len > 0)
        memcpy(g->data + g->len, data, len);
    g->len += len;
    g->data[g->len] = '\0';
}

/* ---- character sets ---- */

/* Converts to UTF-8; invalid octets become U+FFFD. Returns false for an unknown character set. */
static bool convert(p3_grown *out, const char *charset, const char *data, size_t len)
{
    iconv_t cd = iconv_open("UTF-8", charset);
    if (cd == (iconv_t)-1)
        return false;
    char *in = (char *)(uintptr_t)data;
    while (len > 0) {
        char room[4096]; /* in large pieces, because iconv() repeats what does not fit */
        char *to = room;
        size_t left = sizeof room;
        size_t done = iconv(cd, &in, &len, &to, &left);
        add_octets(out, room, (size_t)(to - room));
        if (done == (size_t)-1 && errno == E2BIG)
            continue;
        if (done == (size_t)-1 && len > 0) {
            add_octets(out, "\xef\xbf\xbd", 3);
            in++;
            len--;
        }
    }
    (void)iconv_close(cd);
    return true;
}

static bool all_utf8(const char *text, size_t len)
{
    uint32_t c;
    size_t n = 0;
    for (size_t i = 0; i < len; i += n) {
        n = p3_utf8_char(text + i, len - i, &c);
        if (n == 0)
            return false;
    }
    return true;
}

/* Unencoded text: UTF-8 (RFC 6532), or Windows-1252 from old programs. */
static void add_raw(p3_grown *out, const char *text, size_t len)
{
    if (all_utf8(text, len) || !convert(out, "WINDOWS-1252", text, len))
        add_octets(out, text, len);
}

/* ---- encoded words ---- */

static int base64_value(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c != '\0' ? strchr(digits, c) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

static void decode_base64(const char *in, size_t len, p3_grown *out)
{
    uint32_t bits = 0;
    int have = 0;
    for (size_t i = 0; i < len; i++) {
        int v = base64_value(in[i]);
        if (v < 0)
            continue; /* padding and invalid characters */
        bits = (bits << 6) | (uint32_t)v;
        have += 6;
        if (have >= 8) {
            char octet = (char)(bits >> (have - 8));
            add_octets(out, &octet, 1);
            have -= 8;
        }
    }
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The Q encoding (RFC 2047 §4.2). */
static void decode_q(const char *in, size_t len, p3_grown *out)
{
    for (size_t i = 0; i < len; i++) {
        char c = in[i] == '_' ? ' ' : in[i];
        if (c == '=' && i + 2 < len && hex_value(in[i + 1]) >= 0 && hex_value(in[i + 2]) >= 0) {
            c = (char)(hex_value(in[i + 1]) * 16 + hex_value(in[i + 2]));
            i += 2;
        }
        add_octets(out, &c, 1);
    }
}

/* An encoded word: =?charset[*language]?B or Q?text?= */
typedef struct p3_word {
    char charset[64];
    char encoding;
    const char *text;
    size_t text_len;
    size_t len; /* of the whole */
} p3_word;

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_encoding(char c)
{
    return c == 'b' || c == 'B' || c == 'q' || c == 'Q';
}

static bool find_word(const char *at, size_t len, p3_word *w)
{
    const char *end = at + len;
    if (len < 8 || at[0] != '=' || at[1] != '?')
        return false;
    const char *mark = memchr(at + 2, '?', len - 2);
    if (mark == NULL || end - mark < 5 || mark[2] != '?')
        return false;
    size_t name = (size_t)(mark - at) - 2;
    const char *star = memchr(at + 2, '*', name);
    if (star != NULL)
        name = (size_t)(star - at) - 2; /* RFC 2231 §5 */
    w->encoding = mark[1];
    w->text = mark + 3;
    if (name == 0 || name >= sizeof w->charset || !is_encoding(w->encoding))
        return false;
    const char *stop = w->text;
    while (stop + 1 < end && !(stop[0] == '?' && stop[1] == '='))
        stop++;
    if (stop + 1 >= end)
        return false;
    memcpy(w->charset, at + 2, name);
    w->charset[name] = '\0';
    w->text_len = (size_t)(stop - w->text);
    w->len = (size_t)(stop - at) + 2;
    return true;
}

/* Decodes adjacent words: characters may be split between those of the same character set. Returns
 * how much was used. */
static size_t decode_words(const char *at, size_t len, p3_grown *out)
{
    p3_grown octets = {0};
    p3_word w;
    char charset[64] = "";
    size_t used = 0;
    size_t gap = 0;
    while (used + gap < len && find_word(at + used + gap, len - used - gap, &w)) {
        if (charset[0] != '\0' && strcasecmp(charset, w.charset) != 0) {
            if (!convert(out, charset, octets.data, octets.len))
                add_raw(out, octets.data, octets.len);
            octets.len = 0;
        }
        memcpy(charset, w.charset, sizeof charset);
        add_octets(&octets, "", 0);
        if (w.encoding == 'b' || w.encoding == 'B')
            decode_base64(w.text, w.text_len, &octets);
        else
            decode_q(w.text, w.text_len, &octets);
        used += gap + w.len;
        for (gap = 0; used + gap < len && is_blank(at[used + gap]);)
            gap++; /* blanks between encoded words are ignored (RFC 2047 §6.2) */
    }
    if (octets.data != NULL && !convert(out, charset, octets.data, octets.len))
        add_raw(out, octets.data, octets.len);
    out->failed = out->failed || octets.failed;
    free(octets.data);
    return used;
}

/* Where the last word can end. No word is searched for after it; otherwise each of many beginnings
 * without an end would search the whole rest. */
static size_t end_of_words(const char *value, size_t len)
{
    while (len >= 2 && !(value[len - 2] == '?' && value[len - 1] == '='))
        len--;
    return len >= 2 ? len : 0;
}

char *p3_rfc2047_decode(const char *value, size_t len)
{
    p3_grown out = {0};
    size_t raw = 0; /* where unencoded text begins */
    size_t end = end_of_words(value, len);
    p3_word w;
    for (size_t i = 0; i < end;) {
        if (!find_word(value + i, end - i, &w)) {
            i++;
            continue;
        }
        add_raw(&out, value + raw, i - raw);
        i += decode_words(value + i, end - i, &out);
        raw = i;
    }
    add_raw(&out, value + raw, len - raw);
    add_octets(&out, "", 0); /* so that it is not NULL */
    char *line = out.failed ? NULL : p3_line_clean(out.data, out.len);
    free(out.data);
    return line;
}

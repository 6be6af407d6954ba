/* Octet and text helpers of the core. */
#include "core/text.h"

#include <string.h>

pop3_str p3_trim_right(pop3_str s)
{
    while (s.len > 0 && p3_is_blank(s.data[s.len - 1]))
        s.len--;
    return s;
}

pop3_str p3_parse_word(pop3_str *s)
{
    size_t n = 0;
    while (n < s->len && !p3_is_blank(s->data[n]))
        n++;
    pop3_str word = p3_span(s->data, n);
    *s = p3_trim_left(p3_skip(*s, n));
    return word;
}

bool p3_equal_nocase(pop3_str a, pop3_str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        if (p3_upper(a.data[i]) != p3_upper(b.data[i]))
            return false;
    }
    return true;
}

bool p3_is_utf8(pop3_str s)
{
    if (s.len == 0)
        return true;
    const unsigned char *p = (const unsigned char *)s.data;
    const unsigned char *end = p + s.len;
    while (p < end) {
        unsigned char c = *p++;
        int more;
        unsigned char low = 0x80;  /* bounds of the second octet: they rule out over-long forms, */
        unsigned char high = 0xBF; /* surrogates and what lies beyond U+10FFFF */
        if (c < 0x80)
            continue;
        if (c >= 0xC2 && c <= 0xDF) {
            more = 1;
        } else if (c >= 0xE0 && c <= 0xEF) {
            more = 2;
            low = c == 0xE0 ? 0xA0 : 0x80;
            high = c == 0xED ? 0x9F : 0xBF;
        } else if (c >= 0xF0 && c <= 0xF4) {
            more = 3;
            low = c == 0xF0 ? 0x90 : 0x80;
            high = c == 0xF4 ? 0x8F : 0xBF;
        } else {
            return false;
        }
        if (end - p < more || *p < low || *p > high)
            return false;
        for (p++, more--; more > 0; p++, more--) {
            if (*p < 0x80 || *p > 0xBF)
                return false;
        }
    }
    return true;
}

static bool is_letter(char c)
{
    return p3_upper(c) >= 'A' && p3_upper(c) <= 'Z';
}

static bool is_word(pop3_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!is_letter(s.data[i]))
            return false;
    }
    return true;
}

static bool is_alone(pop3_str s, size_t from, size_t n)
{
    char before = from > 0 ? s.data[from - 1] : ' ';
    char after = from + n < s.len ? s.data[from + n] : ' ';
    return !is_letter(before) && !p3_is_digit(before) && !is_letter(after) && !p3_is_digit(after);
}

static bool is_behind_pass(pop3_str s, size_t from)
{
    static const char command[] = "PASS ";
    size_t n = sizeof command - 1;
    return from >= n && p3_equal_nocase(p3_span(s.data + from - n, n), p3_span(command, n));
}

/* Whether the n octets of a reply that equal the beginning of the secret repeat it. */
static bool is_echo(pop3_str s, size_t from, size_t n, bool whole, bool is_password)
{
    enum { LEAST = 4, LIKELY = 8, TELLING = 16 }; /* TELLING octets are never equal by chance */
    bool word = is_word(p3_span(s.data + from, n));
    bool alone = is_alone(s, from, n);
    if (n >= TELLING)
        return true;
    if (!whole && n < LEAST)
        return false;
    if (is_password && word)
        return alone && is_behind_pass(s, from);
    if (whole)
        return alone;
    return word ? alone && n >= LIKELY : alone || n >= LIKELY;
}

size_t p3_find_echo(pop3_str s, pop3_str secret, bool is_password)
{
    for (size_t i = 0; secret.len > 0 && i < s.len; i++) {
        size_t n = 0;
        while (n < secret.len && i + n < s.len && s.data[i + n] == secret.data[n])
            n++;
        if (n > 0 && is_echo(s, i, n, n == secret.len, is_password))
            return i;
    }
    return SIZE_MAX;
}

p3_text p3_text_begin(char *buffer, size_t size)
{
    buffer[0] = '\0';
    return (p3_text){.at = buffer, .last = buffer + size - 1};
}

static void add_octets(p3_text *t, const char *s, size_t n)
{
    size_t room = (size_t)(t->last - t->at);
    if (n > room)
        n = room;
    memcpy(t->at, s, n);
    t->at += n;
    *t->at = '\0';
}

void p3_text_add(p3_text *t, const char *s)
{
    add_octets(t, s, strlen(s));
}

void p3_text_add_printable(p3_text *t, pop3_str s, size_t most)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if (i == most) {
            add_octets(t, "...", 3);
            return;
        }
        if (c >= 0x20 && c < 0x7F && c != '\\') {
            add_octets(t, &s.data[i], 1);
        } else {
            char escape[4] = {'\\', 'x', hex[c >> 4], hex[c & 15]};
            add_octets(t, escape, sizeof escape);
        }
    }
}

size_t p3_put_number(char *p, uint64_t value)
{
    char reversed[20];
    size_t n = 0;
    do {
        reversed[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    for (size_t i = 0; i < n; i++)
        p[i] = reversed[n - 1 - i];
    return n;
}

void p3_put_hex(char *out, const unsigned char *data, size_t n)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = hex[data[i] >> 4];
        out[2 * i + 1] = hex[data[i] & 15];
    }
}

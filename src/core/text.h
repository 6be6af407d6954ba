/* Octet and text helpers of the core: ASCII classes without a locale, spans, UTF-8, and a small
 * text builder that always terminates (the core uses no stdio). */
#ifndef P3_CORE_TEXT_H
#define P3_CORE_TEXT_H

#include <pop3/types.h>

#include <string.h>

static inline bool p3_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool p3_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static inline char p3_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static inline pop3_str p3_span(const char *data, size_t len)
{
    return (pop3_str){.data = data, .len = len};
}

/* The span without its first n octets, n no more than its length. Plain arithmetic would be
 * undefined for the NULL of an empty span. */
static inline pop3_str p3_skip(pop3_str s, size_t n)
{
    return n == 0 ? s : p3_span(s.data + n, s.len - n);
}

/* The span without blanks and tabs at its start / at its end. */
static inline pop3_str p3_trim_left(pop3_str s)
{
    while (s.len > 0 && p3_is_blank(s.data[0])) {
        s.data++;
        s.len--;
    }
    return s;
}
pop3_str p3_trim_right(pop3_str s);

/* Removes the first word from s (which must not start with a blank) and returns it; s then starts
 * at the word after it. */
pop3_str p3_parse_word(pop3_str *s);

/* Whether two spans, or a span and a string, are equal when letters' case is ignored. */
bool p3_equal_nocase(pop3_str a, pop3_str b);
static inline bool p3_equals_nocase(pop3_str a, const char *b)
{
    return p3_equal_nocase(a, p3_span(b, strlen(b)));
}

/* Whether s is well-formed UTF-8 (RFC 3629). */
bool p3_is_utf8(pop3_str s);

/* The offset at which s begins to repeat a secret, or at least its first four octets; SIZE_MAX: it
 * does not. A password of letters may be an ordinary word of the server's text: fewer than sixteen
 * count only after "PASS". */
size_t p3_find_echo(pop3_str s, pop3_str secret, bool is_password);

/* Builds a terminated text in a buffer of fixed size; what does not fit is left out. */
typedef struct p3_text {
    char *at;   /* where the next octet goes; always the terminator's place */
    char *last; /* the buffer's last octet, kept for the terminator */
} p3_text;

p3_text p3_text_begin(char *buffer, size_t size);
void p3_text_add(p3_text *t, const char *s);
/* Adds at most `most` octets of s, what is not printable ASCII as \xHH, with "..." when cut. */
void p3_text_add_printable(p3_text *t, pop3_str s, size_t most);

/* Writes value in decimal at p, which has room for 20 digits; returns how many it wrote. */
size_t p3_put_number(char *p, uint64_t value);

/* Writes n octets in lower-case hexadecimal at out, which has room for 2 * n characters. */
void p3_put_hex(char *out, const unsigned char *data, size_t n);

#endif

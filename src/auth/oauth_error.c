/* The error message of OAUTHBEARER and XOAUTH2: a small JSON object (RFC 7628 §3.2.2). The text is
 * only shown to people, so it is read leniently. */
#include "auth/oauth_error.h"

#include "core/text.h"

#include <string.h>

/* What is left to read. */
typedef struct p3_cursor {
    const char *at;
    const char *end;
} p3_cursor;

static void skip_space(p3_cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\r' || *c->at == '\n'))
        c->at++;
}

static bool take_octet(p3_cursor *c, char wanted)
{
    skip_space(c);
    if (c->at == c->end || *c->at != wanted)
        return false;
    c->at++;
    return true;
}

/* Where text goes, cut to what fits. */
typedef struct p3_sink {
    char *at;
    char *last; /* kept for the terminator */
} p3_sink;

static void put_octet(p3_sink *s, uint32_t octet)
{
    if (s->at < s->last)
        *s->at++ = (char)octet;
}

static void put_code_point(p3_sink *s, uint32_t c)
{
    if (c < 0x80) {
        put_octet(s, c);
    } else if (c < 0x800) {
        put_octet(s, 0xC0 | c >> 6);
        put_octet(s, 0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        put_octet(s, 0xE0 | c >> 12);
        put_octet(s, 0x80 | (c >> 6 & 0x3F));
        put_octet(s, 0x80 | (c & 0x3F));
    } else {
        put_octet(s, 0xF0 | c >> 18);
        put_octet(s, 0x80 | (c >> 12 & 0x3F));
        put_octet(s, 0x80 | (c >> 6 & 0x3F));
        put_octet(s, 0x80 | (c & 0x3F));
    }
}

/* Four hexadecimal digits. */
static bool take_unit(p3_cursor *c, uint32_t *unit)
{
    *unit = 0;
    if (c->end - c->at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        char digit = p3_upper(*c->at++);
        if (p3_is_digit(digit))
            *unit = *unit << 4 | (uint32_t)(digit - '0');
        else if (digit >= 'A' && digit <= 'F')
            *unit = *unit << 4 | (uint32_t)(digit - 'A' + 10);
        else
            return false;
    }
    return true;
}

/* What follows "\u": a code point, perhaps as two surrogates (RFC 8259 §7). */
static bool take_code_point(p3_cursor *c, uint32_t *point)
{
    if (!take_unit(c, point))
        return false;
    bool high = *point >= 0xD800 && *point <= 0xDBFF;
    if (high && c->end - c->at >= 2 && c->at[0] == '\\' && c->at[1] == 'u') {
        uint32_t low;
        c->at += 2;
        if (!take_unit(c, &low))
            return false;
        if (low >= 0xDC00 && low <= 0xDFFF)
            *point = 0x10000 + ((*point - 0xD800) << 10) + (low - 0xDC00);
    }
    if (*point >= 0xD800 && *point <= 0xDFFF)
        *point = 0xFFFD; /* half of a pair */
    return true;
}

static bool take_escape(p3_cursor *c, p3_sink *s)
{
    static const char letters[] = "bfnrt";
    static const char stand_for[] = "\b\f\n\r\t";
    if (c->at == c->end)
        return false;
    char letter = *c->at++;
    if (letter == 'u') {
        uint32_t point;
        if (!take_code_point(c, &point))
            return false;
        put_code_point(s, point);
        return true;
    }
    const char *known = letter == '\0' ? NULL : strchr(letters, letter);
    put_octet(s, (unsigned char)(known != NULL ? stand_for[known - letters] : letter));
    return true;
}

/* A string, the cursor being at its opening quote. */
static bool take_string(p3_cursor *c, char *out, size_t size)
{
    p3_sink s = {.at = out, .last = out + size - 1};
    if (!take_octet(c, '"'))
        return false;
    while (c->at < c->end && *c->at != '"') {
        char next = *c->at++;
        if (next != '\\')
            put_octet(&s, (unsigned char)next);
        else if (!take_escape(c, &s))
            return false;
    }
    *s.at = '\0';
    return take_octet(c, '"');
}

/* A number, true, false or null. */
static bool take_word(p3_cursor *c, char *out, size_t size)
{
    p3_sink s = {.at = out, .last = out + size - 1};
    skip_space(c);
    const char *start = c->at;
    while (c->at < c->end && strchr(",}] \t\r\n\"[{", *c->at) == NULL)
        put_octet(&s, (unsigned char)*c->at++);
    *s.at = '\0';
    return c->at > start;
}

/* Skips an object or array: counts brackets outside of strings. */
static bool skip_nested(p3_cursor *c)
{
    char unused[1];
    size_t depth = 0;
    do {
        skip_space(c);
        if (c->at == c->end)
            return false;
        char next = *c->at;
        if (next == '"') {
            if (!take_string(c, unused, sizeof unused))
                return false;
            continue;
        }
        c->at++;
        if (next == '{' || next == '[')
            depth++;
        else if (next == '}' || next == ']')
            depth--;
    } while (depth > 0);
    return true;
}

bool p3_json_member(pop3_str json, const char *name, char *out, size_t size)
{
    p3_cursor c = {.at = json.data, .end = json.data + json.len};
    char key[32];
    out[0] = '\0';
    if (json.len == 0 || !take_octet(&c, '{'))
        return false;
    while (take_string(&c, key, sizeof key) && take_octet(&c, ':')) {
        bool wanted = strcmp(key, name) == 0;
        skip_space(&c);
        bool nested = c.at < c.end && (*c.at == '{' || *c.at == '[');
        bool text = c.at < c.end && *c.at == '"';
        bool ok;
        if (nested)
            ok = skip_nested(&c);
        else
            ok = text ? take_string(&c, out, size) : take_word(&c, out, size);
        if (wanted && ok)
            return !nested;
        out[0] = '\0';
        if (!ok || !take_octet(&c, ','))
            return false;
    }
    return false;
}

void p3_oauth_error(pop3_str json, char *out, size_t size)
{
    /* The first three are RFC 7628's and Google's, the others those of other providers. */
    static const char *const names[] = {"status", "scope", "schemes", "error", "error_description"};
    p3_text text = p3_text_begin(out, size);
    char value[160];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!p3_json_member(json, names[i], value, sizeof value) || value[0] == '\0')
            continue;
        p3_text_add(&text, out[0] == '\0' ? "" : ", ");
        p3_text_add(&text, names[i]);
        p3_text_add(&text, " ");
        p3_text_add_printable(&text, p3_span(value, strlen(value)), 120);
    }
}

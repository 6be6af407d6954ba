/* Where an IMAP server is, as whom to log in there, and the folder. */
#include "deliver/imap_address.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static int digit_of(char c)
{
    static const char digits[] = "0123456789abcdef";
    char lower = c >= 'A' && c <= 'F' ? (char)(c + 32) : c;
    const char *at = lower != '\0' ? strchr(digits, lower) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

/* Copies a part without its %XX. False when it is empty or too long, or has control characters. */
static bool decode(const char *at, size_t len, char *out, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < len; i++) {
        int c = (unsigned char)at[i];
        if (c == '%') {
            int high = i + 2 < len ? digit_of(at[i + 1]) : -1;
            int low = i + 2 < len ? digit_of(at[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = high * 16 + low;
            i += 2;
        }
        if (c < ' ' || c == 0x7f || used + 1 >= size)
            return false;
        out[used++] = (char)c;
    }
    out[used] = '\0';
    return used > 0;
}

/* The next character of UTF-8, or -1. */
static long next_character(const char **at)
{
    const unsigned char *p = (const unsigned char *)*at;
    int more = p[0] < 0x80       ? 0
               : p[0] >> 5 == 6  ? 1
               : p[0] >> 4 == 14 ? 2
               : p[0] >> 3 == 30 ? 3
                                 : -1;
    long c = more <= 0 ? p[0] : p[0] & (0x3f >> more);
    if (more < 0)
        return -1;
    for (int i = 1; i <= more; i++) {
        if (p[i] >> 6 != 2)
            return -1;
        c = c << 6 | (p[i] & 0x3f);
    }
    *at += more + 1;
    return c;
}

/* UTF-16 in the modified base64 of RFC 3501 §5.1.3, as it comes. */
typedef struct p3_utf7 {
    char *out;
    size_t size, used;
    unsigned long bits;
    int count; /* of bits that wait; -1: outside of a run of them */
} p3_utf7;

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static void put(p3_utf7 *u, char c)
{
    if (u->used < u->size)
        u->out[u->used++] = c;
}

static void put_unit(p3_utf7 *u, unsigned long unit)
{
    if (u->count < 0) {
        put(u, '&');
        u->count = 0;
        u->bits = 0;
    }
    u->bits = u->bits << 16 | unit;
    for (u->count += 16; u->count >= 6; u->count -= 6)
        put(u, letters[u->bits >> (u->count - 6) & 63]);
}

static void end_run(p3_utf7 *u)
{
    if (u->count > 0)
        put(u, letters[u->bits << (6 - u->count) & 63]);
    if (u->count >= 0)
        put(u, '-');
    u->count = -1;
}

/* A folder's name as the server has it. */
static bool encode(const char *folder, char *out, size_t size)
{
    p3_utf7 u = {.out = out, .size = size, .count = -1};
    while (*folder != '\0') {
        long c = next_character(&folder);
        if (c < 0)
            return false;
        if (c < 0x80) {
            end_run(&u);
            put(&u, (char)c);
            if (c == '&')
                put(&u, '-');
        } else if (c < 0x10000) {
            put_unit(&u, (unsigned long)c);
        } else {
            put_unit(&u, 0xd800 + (unsigned long)((c - 0x10000) >> 10));
            put_unit(&u, 0xdc00 + (unsigned long)((c - 0x10000) & 0x3ff));
        }
    }
    end_run(&u);
    if (u.used >= size)
        return false;
    out[u.used] = '\0';
    return true;
}

static bool read_server(p3_imap_address *a, const char *at, size_t len)
{
    char text[300];
    const char *colon =
        memchr(at, ']', len) != NULL ? strchr(memchr(at, ']', len), ':') : memchr(at, ':', len);
    bool has_port = colon != NULL && colon < at + len;
    int n = snprintf(text, sizeof text, "%.*s%s", (int)(len < 290 ? len : 290), at,
                     has_port    ? ""
                     : a->is_tls ? ":993"
                                 : ":143");
    return len > 0 && n > 0 && strncmp(text, "unix:", 5) != 0 && p3_address_read(&a->server, text);
}

bool p3_imap_address_read(p3_imap_address *a, const char *text)
{
    char folder[400];
    *a = (p3_imap_address){.is_tls = strncasecmp(text, "imaps://", 8) == 0};
    if (!a->is_tls && strncasecmp(text, "imap://", 7) != 0)
        return false;
    const char *at = text + (a->is_tls ? 8 : 7);
    size_t len = strcspn(at, "/");
    const char *host = at;
    for (size_t i = 0; i < len; i++) {
        if (at[i] == '@')
            host = at + i + 1;
    }
    /* A password has no place here: it would be in the state, and in messages. */
    if (host == at || memchr(at, ':', (size_t)(host - at)) != NULL ||
        !decode(at, (size_t)(host - at) - 1, a->user, sizeof a->user) ||
        !read_server(a, host, len - (size_t)(host - at)))
        return false;
    const char *rest = at + len + (at[len] == '/');
    if (*rest == '\0')
        rest = "INBOX";
    return decode(rest, strlen(rest), folder, sizeof folder) &&
           encode(folder, a->folder, sizeof a->folder);
}

/* An IMAP server, the user there, and the folder. */
#include "deliver/imap_address.h"

#include <string.h>
#include <strings.h>

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

/* UTF-16 in the modified base64 of RFC 3501 §5.1.3, octet by octet. */
typedef struct p3_utf7 {
    char *out;
    size_t size, used;
    unsigned long bits;
    int count; /* of pending bits; -1: outside of base64 */
} p3_utf7;

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static void put_octet(p3_utf7 *u, char c)
{
    if (u->used < u->size)
        u->out[u->used++] = c;
}

static void put_unit(p3_utf7 *u, unsigned long unit)
{
    if (u->count < 0) {
        put_octet(u, '&');
        u->count = 0;
        u->bits = 0;
    }
    u->bits = u->bits << 16 | unit;
    for (u->count += 16; u->count >= 6; u->count -= 6)
        put_octet(u, letters[u->bits >> (u->count - 6) & 63]);
}

static void end_run(p3_utf7 *u)
{
    if (u->count > 0)
        put_octet(u, letters[u->bits << (6 - u->count) & 63]);
    if (u->count >= 0)
        put_octet(u, '-');
    u->count = -1;
}

bool p3_imap_encode(const char *folder, char *out, size_t size)
{
    p3_utf7 u = {.out = out, .size = size, .count = -1};
    while (*folder != '\0') {
        long c = next_character(&folder);
        if (c < 0)
            return false;
        if (c < 0x80) {
            end_run(&u);
            put_octet(&u, (char)c);
            if (c == '&')
                put_octet(&u, '-');
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

void p3_imap_quote(const char *text, char *out)
{
    *out++ = '"';
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            *out++ = '\\';
        *out++ = *text;
    }
    *out++ = '"';
    *out = '\0';
}

bool p3_imap_address_read(p3_imap_address *a, const char *text)
{
    static const p3_server_scheme scheme = {"imap", "143", "993"};
    char folder[400];
    if (!p3_server_url_read(&a->at, text, &scheme) || a->at.user[0] == '\0')
        return false;
    const char *rest = text + a->at.rest;
    size_t len = strlen(rest);
    while (len > 0 && rest[len - 1] == '/')
        len--;
    return len > 0 ? p3_url_decode(rest, len, folder, sizeof folder) &&
                         p3_imap_encode(folder, a->folder, sizeof a->folder)
                   : p3_imap_encode("INBOX", a->folder, sizeof a->folder);
}

bool p3_imap_address_is_same(const char *text, const char *other)
{
    p3_imap_address a;
    p3_imap_address b;
    if (!p3_imap_address_read(&a, text) || !p3_imap_address_read(&b, other) ||
        !p3_server_url_is_equal(&a.at, &b.at))
        return false;
    /* RFC 9051 §5.1: INBOX is case-insensitive. */
    return strcmp(a.folder, b.folder) == 0 ||
           (strcasecmp(a.folder, "INBOX") == 0 && strcasecmp(b.folder, "INBOX") == 0);
}

bool p3_imap_server_read(p3_server_url *out, const char *where)
{
    p3_imap_address a;
    bool ok = p3_imap_address_read(&a, where);
    *out = a.at;
    return ok;
}

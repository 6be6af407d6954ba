/* A server that mail is sent to. */
#include "deliver/server_url.h"

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

bool p3_url_decode(const char *at, size_t len, char *out, size_t size)
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

/* HOST or HOST:PORT. */
static bool read_server(p3_server_url *u, const p3_server_scheme *scheme, const char *at,
                        size_t len)
{
    char text[300];
    const char *bracket = memchr(at, ']', len);
    const char *from = bracket != NULL ? bracket : at;
    bool has_port = memchr(from, ':', len - (size_t)(from - at)) != NULL;
    int n = snprintf(text, sizeof text, "%.*s%s%s", (int)(len < 280 ? len : 280), at,
                     has_port ? "" : ":",
                     has_port    ? ""
                     : u->is_tls ? scheme->tls_port
                                 : scheme->port);
    return len > 0 && n > 0 && strncmp(text, "unix:", 5) != 0 &&
           p3_server_address_read(&u->server, text);
}

bool p3_server_url_read(p3_server_url *u, const char *text, const p3_server_scheme *scheme)
{
    size_t name = strlen(scheme->name);
    *u = (p3_server_url){0};
    if (strncasecmp(text, scheme->name, name) != 0)
        return false;
    const char *at = text + name;
    u->is_tls = *at == 's' || *at == 'S';
    at += u->is_tls;
    if (strncmp(at, "://", 3) != 0)
        return false;
    at += 3;
    size_t len = strcspn(at, "/");
    const char *host = at;
    for (size_t i = 0; i < len; i++) {
        if (at[i] == '@')
            host = at + i + 1;
    }
    u->rest = (size_t)(at + len + (at[len] == '/') - text);
    /* A password is not allowed: it would be stored in the state, and appear in messages. */
    return (host == at || (memchr(at, ':', (size_t)(host - at)) == NULL &&
                           p3_url_decode(at, (size_t)(host - at) - 1, u->user, sizeof u->user))) &&
           read_server(u, scheme, host, len - (size_t)(host - at));
}

bool p3_server_url_is_equal(const p3_server_url *a, const p3_server_url *b)
{
    return a->is_tls == b->is_tls && strcmp(a->user, b->user) == 0 &&
           p3_server_address_is_equal(&a->server, &b->server);
}

/* POP URLs, as in RFC 2384 and in curl. */
#include "settings/url.h"
#include "system/erase.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

bool p3_is_url(const char *text)
{
    return strstr(text, "://") != NULL;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Decodes %XX (RFC 3986 §2.1). Returns NULL for an invalid %, for control characters, which could
 * inject commands, and when out of memory. */
static char *decode(const char *from, size_t len)
{
    char *out = malloc(len + 1);
    size_t used = 0;
    bool ok = true;
    if (out == NULL)
        return NULL;
    for (size_t i = 0; ok && i < len; i++) {
        char c = from[i];
        if (c == '%') {
            int high = len - i > 2 ? hex_digit(from[i + 1]) : -1;
            int low = len - i > 2 ? hex_digit(from[i + 2]) : -1;
            ok = high >= 0 && low >= 0;
            c = (char)(high * 16 + low);
            i += 2;
        }
        ok = ok && (unsigned char)c >= 0x20 && c != 0x7f;
        if (ok)
            out[used++] = c;
    }
    if (!ok) {
        free(out);
        return NULL;
    }
    out[used] = '\0';
    return out;
}

static bool take_scheme(const char **at, p3_url *u)
{
    static const char plain[] = "pop3://";
    static const char bare[] = "pop://"; /* RFC 2384's own name */
    static const char tls[] = "pop3s://";
    if (strncasecmp(*at, tls, sizeof tls - 1) == 0) {
        u->security = POP3_SECURITY_TLS;
        *at += sizeof tls - 1;
        return true;
    }
    u->security = POP3_SECURITY_STLS;
    size_t n = strncasecmp(*at, plain, sizeof plain - 1) == 0 ? sizeof plain - 1
               : strncasecmp(*at, bare, sizeof bare - 1) == 0 ? sizeof bare - 1
                                                              : 0;
    *at += n;
    return n > 0;
}

/* user[;AUTH=mechanism][:password], ended by @. */
static bool take_user(const char *at, size_t len, p3_url *u)
{
    static const char auth[] = ";AUTH=";
    const char *end = at + len;
    const char *colon = memchr(at, ':', len);
    const char *user_end = colon != NULL ? colon : end;
    const char *mechanism = NULL;
    for (const char *p = at; mechanism == NULL && user_end - p >= (long)sizeof auth - 1; p++) {
        if (strncasecmp(p, auth, sizeof auth - 1) == 0)
            mechanism = p;
    }
    const char *name_end = mechanism != NULL ? mechanism : user_end;
    if (name_end > at && (u->user = decode(at, (size_t)(name_end - at))) == NULL)
        return false;
    if (mechanism != NULL) {
        mechanism += sizeof auth - 1;
        bool any = user_end - mechanism == 1 && *mechanism == '*';
        if (user_end == mechanism)
            return false;
        if (!any && (u->mechanism = decode(mechanism, (size_t)(user_end - mechanism))) == NULL)
            return false;
    }
    return colon == NULL || (u->password = decode(colon + 1, (size_t)(end - colon - 1))) != NULL;
}

static bool take_port(const char *at, size_t len, p3_url *u)
{
    unsigned long port = 0;
    if (len == 0)
        return true;
    for (size_t i = 0; i < len; i++) {
        if (at[i] < '0' || at[i] > '9' || i > 5)
            return false;
        port = port * 10 + (unsigned long)(at[i] - '0');
    }
    u->port = (uint16_t)port;
    return port > 0 && port <= 65535;
}

/* host[:port], where the host may be a numeric IPv6 address in brackets. */
static bool take_host(const char *at, size_t len, p3_url *u)
{
    const char *end = at + len;
    const char *host_end;
    if (len > 0 && *at == '[') {
        const char *close = memchr(at, ']', len);
        if (close == NULL)
            return false;
        at++;
        host_end = close;
        end = at + len - 1;
        close++;
        if (close < end && *close != ':')
            return false;
        if (close < end && !take_port(close + 1, (size_t)(end - close - 1), u))
            return false;
    } else {
        const char *colon = memchr(at, ':', len);
        host_end = colon != NULL ? colon : end;
        if (colon != NULL && !take_port(colon + 1, (size_t)(end - colon - 1), u))
            return false;
    }
    u->host = decode(at, (size_t)(host_end - at));
    return u->host != NULL && u->host[0] != '\0';
}

bool p3_url_parse(const char *text, p3_url *out, p3_problem *why)
{
    const char *at = text;
    *out = (p3_url){0};
    bool ok = take_scheme(&at, out);
    size_t len = strcspn(at, "/?#");
    const char *rest = at + len;
    /* Nothing may follow: curl's pop3://host/1 names a message, which is a separate argument here.
     */
    ok = ok && (rest[0] == '\0' || (rest[0] == '/' && rest[1] == '\0'));
    const char *sign = NULL;
    for (const char *p = at; p < rest; p++) {
        if (*p == '@')
            sign = p; /* the last one, because users forget to encode the one in a user name */
    }
    if (ok && sign != NULL)
        ok = take_user(at, (size_t)(sign - at), out);
    if (sign != NULL)
        at = sign + 1;
    ok = ok && take_host(at, (size_t)(rest - at), out);
    if (ok)
        return true;
    p3_url_free(out);
    return p3_problem_set(why, EX_USAGE,
                          "reading the URL: it is not of the form "
                          "pop3s://USER@HOST[:PORT]/ (with %%40 for an @ in USER)");
}

void p3_url_free(p3_url *u)
{
    if (u->password != NULL)
        p3_erase(u->password, strlen(u->password));
    free(u->user);
    free(u->password);
    free(u->mechanism);
    free(u->host);
    *u = (p3_url){0};
}

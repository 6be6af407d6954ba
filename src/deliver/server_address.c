/* An LMTP server. */
#include "deliver/server_address.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char unix_prefix[] = "unix:";

bool p3_server_address_read(p3_server_address *a, const char *text)
{
    *a = (p3_server_address){0};
    if (strncmp(text, unix_prefix, sizeof unix_prefix - 1) == 0) {
        a->path = text + sizeof unix_prefix - 1;
        return a->path[0] == '/';
    }
    const char *colon = strrchr(text, ':');
    size_t len = colon != NULL ? (size_t)(colon - text) : 0;
    const char *digits = colon != NULL ? colon + 1 : "";
    size_t count = strspn(digits, "0123456789");
    unsigned long port =
        count > 0 && count < 6 && digits[count] == '\0' ? strtoul(digits, NULL, 10) : 0;
    bool bracketed = len > 2 && text[0] == '[' && text[len - 1] == ']'; /* IPv6 */
    if (bracketed) {
        text++;
        len -= 2;
    }
    if (len == 0 || len >= sizeof a->host || port == 0 || port > UINT16_MAX ||
        (!bracketed && memchr(text, ':', len) != NULL))
        return false;
    memcpy(a->host, text, len);
    a->port = (uint16_t)port;
    return true;
}

/* Names are case-insensitive, and may end with the dot of the root. */
static size_t length_of(const char *host)
{
    size_t len = strlen(host);
    return len > 1 && host[len - 1] == '.' ? len - 1 : len;
}

bool p3_server_address_is_equal(const p3_server_address *a, const p3_server_address *b)
{
    if (a->path != NULL || b->path != NULL)
        return a->path != NULL && b->path != NULL && strcmp(a->path, b->path) == 0;
    size_t len = length_of(a->host);
    return a->port == b->port && len == length_of(b->host) &&
           strncasecmp(a->host, b->host, len) == 0;
}

bool p3_server_address_is_same(const char *text, const char *other)
{
    p3_server_address a;
    p3_server_address b;
    return p3_server_address_read(&a, text) && p3_server_address_read(&b, other) &&
           p3_server_address_is_equal(&a, &b);
}

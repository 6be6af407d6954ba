/* HTTP CONNECT (RFC 9110 §9.3.6), with Basic authentication (RFC 7617) when there is a user. */
#include "io/proxy.h"

#include "core/base64.h"
#include "core/text.h"

#include <errno.h>
#include <string.h>

/* The octets of "HTTP/1.1 200". */
#define STATUS_START 9
#define STATUS_END   12

static bool ends_with(const p3_proxy *p, const char *end)
{
    size_t n = strlen(end);
    return p->in_len >= n && memcmp(p->in + p->in_len - n, end, n) == 0;
}

/* The status line's number: 0 when it has none. */
static int status_of(const p3_proxy *p)
{
    if (p->in_len < STATUS_END || memcmp(p->in, "HTTP/1.", 7) != 0)
        return 0;
    int status = 0;
    for (size_t i = STATUS_START; i < STATUS_END; i++) {
        if (!p3_is_digit((char)p->in[i]))
            return 0;
        status = 10 * status + (p->in[i] - '0');
    }
    return status;
}

static pop3_status judge_reply(p3_proxy *p)
{
    char line[120];
    size_t len = strcspn((char *)p->in, "\r\n");
    int status = status_of(p);
    if (status == 0)
        return p3_proxy_fail(p, POP3_ERR_PROTOCOL, 0, "sent a reply that is not one of HTTP");
    if (status >= 200 && status < 300)
        return POP3_OK;
    p3_text text = p3_text_begin(line, sizeof line);
    p3_text_add_printable(&text, p3_span((char *)p->in + STATUS_START, len - STATUS_START), 80);
    if (status == 407)
        return p3_proxy_fail(p, POP3_ERR_CONNECT, EACCES, "%s: %s",
                             p->user == NULL ? "requires a user name and password"
                                             : "did not accept the user name and password",
                             line);
    return p3_proxy_fail(p, POP3_ERR_CONNECT, status == 403 ? EACCES : EHOSTUNREACH,
                         "cannot connect: %s", line);
}

/* Reads the header octet by octet, because what follows belongs to the server. */
static pop3_status next(p3_proxy *p)
{
    p->in[p->in_len] = '\0';
    if (ends_with(p, "\r\n\r\n") || ends_with(p, "\n\n"))
        return judge_reply(p);
    if (p->in_len == P3_PROXY_REPLY)
        return p3_proxy_fail(p, POP3_ERR_LIMIT, 0, "sent a header of more than %d octets",
                             P3_PROXY_REPLY);
    p->need = p->in_len + 1;
    return POP3_PENDING;
}

static bool add_server(p3_proxy *p)
{
    bool colons = strchr(p->host, ':') != NULL;
    char port[24];
    port[p3_put_number(port, p->port)] = '\0';
    return (!colons || p3_octets_add_text(&p->out, "[")) && p3_octets_add_text(&p->out, p->host) &&
           (!colons || p3_octets_add_text(&p->out, "]")) && p3_octets_add_text(&p->out, ":") &&
           p3_octets_add_text(&p->out, port);
}

static bool add_authorization(p3_proxy *p)
{
    p3_octets pair;
    if (p->user == NULL)
        return true;
    if (!p3_octets_init(&pair, 256))
        return false;
    bool ok = p3_octets_add_text(&pair, p->user) && p3_octets_add_text(&pair, ":") &&
              p3_octets_add_text(&pair, p->password != NULL ? p->password : "") &&
              p3_octets_add_text(&p->out, "Proxy-Authorization: Basic ") &&
              p3_base64_encode(&p->out, pair.data, pair.len) && p3_octets_add_text(&p->out, "\r\n");
    p3_octets_free(&pair);
    return ok;
}

pop3_status p3_proxy_http(p3_proxy *p)
{
    p->kind = "HTTP";
    p->next = next;
    bool ok = p3_octets_add_text(&p->out, "CONNECT ") && add_server(p) &&
              p3_octets_add_text(&p->out, " HTTP/1.1\r\nHost: ") && add_server(p) &&
              p3_octets_add_text(&p->out, "\r\n") && add_authorization(p) &&
              p3_octets_add_text(&p->out, "\r\n");
    return ok ? p3_proxy_await(p, 1) : POP3_ERR_MEMORY;
}

/* SOCKS5 (RFC 1928), with user name and password (RFC 1929) if the proxy requires them. */
#include "io/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

enum { STAGE_METHOD, STAGE_PASSWORD, STAGE_REPLY, STAGE_ADDRESS };

enum { METHOD_NONE = 0, METHOD_PASSWORD = 2, ADDRESS_IPV4 = 1, ADDRESS_NAME = 3, ADDRESS_IPV6 = 4 };

static bool add_octet(p3_proxy *p, unsigned octet)
{
    char c = (char)octet;
    return p3_octets_add(&p->out, &c, 1);
}

/* The server: a numeric address, or a name for the proxy to resolve. */
static bool add_server(p3_proxy *p)
{
    unsigned char address[sizeof(struct in6_addr)];
    bool ok;
    if (inet_pton(AF_INET, p->host, address) == 1)
        ok = add_octet(p, ADDRESS_IPV4) && p3_octets_add(&p->out, (char *)address, 4);
    else if (inet_pton(AF_INET6, p->host, address) == 1)
        ok = add_octet(p, ADDRESS_IPV6) && p3_octets_add(&p->out, (char *)address, 16);
    else
        ok = add_octet(p, ADDRESS_NAME) && add_octet(p, (unsigned)strlen(p->host)) &&
             p3_octets_add_text(&p->out, p->host);
    return ok && add_octet(p, p->port >> 8) && add_octet(p, p->port & 0xFF);
}

static pop3_status ask_to_connect(p3_proxy *p)
{
    p->stage = STAGE_REPLY;
    if (!add_octet(p, 5) || !add_octet(p, 1) || !add_octet(p, 0) || !add_server(p))
        return POP3_ERR_MEMORY;
    return p3_proxy_await(p, 5); /* every reply has at least this, which contains its length */
}

static pop3_status send_password(p3_proxy *p)
{
    const char *password = p->password != NULL ? p->password : "";
    p->stage = STAGE_PASSWORD;
    if (!add_octet(p, 1) || !add_octet(p, (unsigned)strlen(p->user)) ||
        !p3_octets_add_text(&p->out, p->user) || !add_octet(p, (unsigned)strlen(password)) ||
        !p3_octets_add_text(&p->out, password))
        return POP3_ERR_MEMORY;
    return p3_proxy_await(p, 2);
}

static pop3_status take_method(p3_proxy *p)
{
    if (p->in[0] != 5)
        return p3_proxy_fail(p, POP3_ERR_PROTOCOL, 0, "does not speak SOCKS5");
    if (p->in[1] == METHOD_NONE)
        return ask_to_connect(p);
    if (p->in[1] == METHOD_PASSWORD && p->user != NULL)
        return send_password(p);
    return p3_proxy_fail(p, POP3_ERR_CONNECT, EACCES, "requires %s",
                         p->user == NULL ? "a user name and password"
                                         : "another way to authenticate than a password");
}

/* RFC 1928 §6. */
static pop3_status take_refusal(p3_proxy *p)
{
    static const struct {
        int sys_errno;
        const char *text;
    } meanings[] = {
        {0, ""},
        {EIO, "general failure"},
        {EACCES, "not allowed by its rules"},
        {ENETUNREACH, "network unreachable"},
        {EHOSTUNREACH, "host unreachable, or its name unknown"},
        {ECONNREFUSED, "connection refused"},
        {ETIMEDOUT, "time to live expired"},
        {EOPNOTSUPP, "command not supported"},
        {EAFNOSUPPORT, "kind of address not supported"},
    };
    unsigned code = p->in[1];
    if (code >= sizeof meanings / sizeof meanings[0])
        return p3_proxy_fail(p, POP3_ERR_CONNECT, EIO, "cannot connect: error %u", code);
    return p3_proxy_fail(p, POP3_ERR_CONNECT, meanings[code].sys_errno, "cannot connect: %s",
                         meanings[code].text);
}

static pop3_status take_reply(p3_proxy *p)
{
    if (p->in[0] != 5)
        return p3_proxy_fail(p, POP3_ERR_PROTOCOL, 0, "sent a reply that is not one of SOCKS5");
    if (p->in[1] != 0)
        return take_refusal(p);
    switch (p->in[3]) { /* the address that the proxy connected from, which is not needed */
    case ADDRESS_IPV4:
        p->need = 4 + 4 + 2;
        break;
    case ADDRESS_IPV6:
        p->need = 4 + 16 + 2;
        break;
    case ADDRESS_NAME:
        p->need = 4 + 1 + (size_t)p->in[4] + 2;
        break;
    default:
        return p3_proxy_fail(p, POP3_ERR_PROTOCOL, 0, "sent a reply that is not one of SOCKS5");
    }
    p->stage = STAGE_ADDRESS;
    return POP3_PENDING;
}

static pop3_status next(p3_proxy *p)
{
    switch (p->stage) {
    case STAGE_METHOD:
        return take_method(p);
    case STAGE_PASSWORD:
        if (p->in[1] != 0)
            return p3_proxy_fail(p, POP3_ERR_CONNECT, EACCES,
                                 "did not accept the user name and password");
        return ask_to_connect(p);
    case STAGE_REPLY:
        return take_reply(p);
    default:
        return POP3_OK;
    }
}

pop3_status p3_proxy_socks5(p3_proxy *p)
{
    bool user = p->user != NULL;
    p->kind = "SOCKS5";
    p->next = next;
    p->stage = STAGE_METHOD;
    if (!add_octet(p, 5) || !add_octet(p, user ? 2 : 1) || !add_octet(p, METHOD_NONE) ||
        (user && !add_octet(p, METHOD_PASSWORD)))
        return POP3_ERR_MEMORY;
    return p3_proxy_await(p, 2);
}

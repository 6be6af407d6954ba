/* SOCKS4a: SOCKS4 with the server's name instead of an address. */
#include "io/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static pop3_status next(p3_proxy *p)
{
    if (p->in[0] != 0)
        return p3_proxy_fail(p, POP3_ERR_PROTOCOL, 0, "sent a reply that is not one of SOCKS4");
    switch (p->in[1]) {
    case 90:
        return POP3_OK;
    case 91:
        return p3_proxy_fail(p, POP3_ERR_CONNECT, ECONNREFUSED, "refused, or cannot connect");
    case 92:
    case 93:
        return p3_proxy_fail(p, POP3_ERR_CONNECT, EACCES, "did not accept the user's name");
    default:
        return p3_proxy_fail(p, POP3_ERR_PROTOCOL, 0, "sent a reply that is not one of SOCKS4");
    }
}

pop3_status p3_proxy_socks4(p3_proxy *p)
{
    /* An address that no host has means that a name follows the user's. */
    unsigned char address[4] = {0, 0, 0, 1};
    bool numeric = inet_pton(AF_INET, p->host, address) == 1;
    const char *user = p->user != NULL ? p->user : "";
    char head[4] = {4, 1, (char)(p->port >> 8), (char)(p->port & 0xFF)};
    p->kind = "SOCKS4a";
    p->next = next;
    bool ok = p3_octets_add(&p->out, head, sizeof head) &&
              p3_octets_add(&p->out, (char *)address, sizeof address) &&
              p3_octets_add(&p->out, user, strlen(user) + 1) &&
              (numeric || p3_octets_add(&p->out, p->host, strlen(p->host) + 1));
    return ok ? p3_proxy_await(p, 8) : POP3_ERR_MEMORY;
}

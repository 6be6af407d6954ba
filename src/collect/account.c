/* The names of an account. */
#include "collect/account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned port_of(const pop3_client_options *o)
{
    unsigned usual = o->security == POP3_SECURITY_TLS ? POP3_TLS_PORT : POP3_PORT;
    return o->port != 0 ? o->port : usual;
}

static char *join(const pop3_client_options *o, const char *user, unsigned port)
{
    bool local = o->unix_socket != NULL;
    const char *name = user != NULL ? user : "";
    const char *host = o->host != NULL ? o->host : "";
    const char *where = local ? o->unix_socket : host;
    size_t size = strlen(name) + strlen(where) + sizeof "@:65535";
    char *text = malloc(size);
    if (text == NULL)
        return NULL;
    int len = snprintf(text, size, "%s@%s", name, where);
    for (char *p = text + strlen(name); !local && *p != '\0'; p++) {
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p + 32); /* host names are case-insensitive */
    }
    if (!local)
        (void)snprintf(text + len, size - (size_t)len, ":%u", port);
    return text;
}

char *p3_account_address(const pop3_client_options *o, const char *user)
{
    return join(o, user, port_of(o));
}

char *p3_account_key(const pop3_client_options *o, const char *user)
{
    unsigned port = port_of(o);
    return join(o, user, port == POP3_PORT ? POP3_TLS_PORT : port);
}

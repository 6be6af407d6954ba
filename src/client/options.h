/* A client's options: whether they can be used, and a copy of them. */
#ifndef P3_CLIENT_OPTIONS_H
#define P3_CLIENT_OPTIONS_H

#include <pop3/client.h>

/* Copies the options with their strings, and fills in the defaults. What has been copied when it
 * fails is for p3_options_free(). POP3_ERR_ARGUMENT for a host name that is none. */
pop3_status p3_options_copy(pop3_client_options *to, const pop3_client_options *options);

/* Frees what p3_options_copy() made, wipes the proxy's password. */
void p3_options_free(pop3_client_options *o);

/* The TLS context is made when it is first needed. POP3_OK when there is one. */
pop3_status p3_options_need_tls(pop3_client_options *o);

/* What has been learned of the server, and what no longer holds: sets of pop3_trait. */
void p3_options_learn(pop3_client_options *o, uint32_t learned, uint32_t unlearned);

/* Whether the server is known to have one of these traits: a set of pop3_trait. */
static inline bool p3_has_trait(const pop3_client_options *o, uint32_t traits)
{
    return (o->traits.flags & traits) != 0;
}

/* The server's name, for TLS and for mechanisms that name it. */
static inline const char *p3_options_host(const pop3_client_options *o)
{
    return o->host != NULL ? o->host : "localhost";
}

#endif

/* The options of a client: validation and copies. */
#ifndef P3_CLIENT_OPTIONS_H
#define P3_CLIENT_OPTIONS_H

#include <pop3/client.h>

/* Copies the options with their strings, and fills in the defaults. If it fails, p3_options_free()
 * frees what has been copied. POP3_ERR_ARGUMENT for an invalid host name. */
pop3_status p3_options_copy(pop3_client_options *to, const pop3_client_options *options);

/* Frees a copy, and wipes the proxy's password. */
void p3_options_free(pop3_client_options *o);

/* Creates the TLS context when it is first needed. POP3_OK when there is one. */
pop3_status p3_options_need_tls(pop3_client_options *o);

/* Adds learned traits of the server, and removes those that do not hold any more: sets of
 * pop3_trait. */
void p3_options_learn(pop3_client_options *o, uint32_t learned, uint32_t unlearned);

/* Whether the server is known to have one of these traits: a set of pop3_trait. */
static inline bool p3_has_trait(const pop3_client_options *o, uint32_t traits)
{
    return (o->traits.flags & traits) != 0;
}

/* The server's name, for TLS and for mechanisms that use it. */
static inline const char *p3_options_host(const pop3_client_options *o)
{
    return o->host != NULL ? o->host : "localhost";
}

#endif

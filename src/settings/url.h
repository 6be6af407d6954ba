/* POP URLs, as in RFC 2384 and in curl. */
#ifndef P3_SETTINGS_URL_H
#define P3_SETTINGS_URL_H

#include <pop3/client.h>

#include "support/problem.h"

/* A parsed and decoded URL. The strings are allocated. */
typedef struct p3_url {
    pop3_security security; /* pop3s: TLS; pop3: STLS, unless plaintext is allowed */
    char *user;             /* NULL: none */
    char *password;         /* NULL: none; wiped when freed */
    char *mechanism;        /* NULL: none, or "*" */
    char *host;
    uint16_t port; /* 0: the default */
} p3_url;

/* pop3[s]://[user[;AUTH=mechanism][:password]@]host[:port][/]. Returns false with what is wrong. */
bool p3_url_parse(const char *text, p3_url *out, p3_problem *why);

/* Whether a word looks like a URL, so that it is not an account's name. */
bool p3_is_url(const char *text);

void p3_url_free(p3_url *u);

#endif

/* The POP3 server that a domain names in the DNS (RFC 6186 §3.3). */
#ifndef P3_CLI_SRV_RECORD_H
#define P3_CLI_SRV_RECORD_H

#include <stdbool.h>

/* A server that the domain names. */
typedef struct p3_srv {
    bool found;
    bool tls;
    unsigned priority;
    unsigned weight;
    unsigned port;
    char host[256];
} p3_srv;

/* Asks the DNS. `found` is false when there is no answer, or none that names a server. */
void p3_srv_find(const char *domain, p3_srv *best);

#endif

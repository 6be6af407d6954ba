/* The POP3 server that a domain publishes in the DNS (RFC 6186 §3.3). */
#ifndef P3_CLI_SRV_RECORD_H
#define P3_CLI_SRV_RECORD_H

#include <stdbool.h>

/* A server. */
typedef struct p3_srv {
    bool found;
    bool tls;
    unsigned priority;
    unsigned weight;
    unsigned port;
    char host[256];
} p3_srv;

/* Queries the DNS. `found` is false when there is no answer, or none with a server. */
void p3_srv_find(const char *domain, p3_srv *best);

#endif

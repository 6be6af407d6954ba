/* How to connect to a server that mail is sent to: an account's settings. */
#ifndef P3_DELIVER_SERVER_OPTIONS_H
#define P3_DELIVER_SERVER_OPTIONS_H

#include "support/problem.h"

/* A password or a token. */
typedef struct p3_server_secret {
    char *text; /* wipe and free() it */
    bool is_token;
} p3_server_secret;

/* TLS with an LMTP server. */
typedef enum p3_lmtp_tls {
    P3_LMTP_PLAIN,
    P3_LMTP_STARTTLS, /* by STARTTLS (RFC 3207), which must succeed */
    P3_LMTP_TLS       /* from the first octet */
} p3_lmtp_tls;

typedef struct p3_lmtp_options {
    p3_lmtp_tls tls;
    const char *ca_file; /* authorities instead of the system's; or NULL */
} p3_lmtp_options;

typedef struct p3_server_options {
    const char *ca_file;  /* authorities instead of the system's; or NULL */
    bool allow_plaintext; /* continue without TLS if the server has no STARTTLS */
    /* Finds the secret; one that `out` already has was refused, and is freed. Called by another
     * thread. */
    bool (*secret)(void *ctx, p3_server_secret *out, p3_problem *why);
    void *secret_ctx;
    const char *renewal; /* how to get another token: an instruction, without a full stop; or NULL
                          */
} p3_server_options;

#endif

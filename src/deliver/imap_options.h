/* How messages get to an IMAP server, other than where: what an account's settings say. */
#ifndef P3_DELIVER_IMAP_OPTIONS_H
#define P3_DELIVER_IMAP_OPTIONS_H

#include "deliver/imap_address.h"
#include "support/problem.h"

/* Which date a message gets in the folder. */
typedef enum p3_imap_date { P3_IMAP_RECEIVED, P3_IMAP_DATE, P3_IMAP_NOW } p3_imap_date;

/* A password or a token. */
typedef struct p3_imap_secret {
    char *text; /* wipe and free() it */
    bool is_token;
} p3_imap_secret;

typedef struct p3_imap_options {
    const char *ca_file;  /* authorities instead of the system's; or NULL */
    bool allow_plaintext; /* imap:// without TLS, where the server has none */
    const char *flags;    /* such as "\\Seen $Label", or NULL */
    p3_imap_date date;
    /* Finds the secret; what `out` has already was refused, and is freed. Another thread calls it.
     */
    bool (*secret)(void *ctx, p3_imap_secret *out, p3_problem *why);
    void *secret_ctx;
} p3_imap_options;

#endif

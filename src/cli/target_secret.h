/* The secret for the server that an account's mail is sent to: a password, or a token that is
 * obtained and kept as those of POP3 servers are. */
#ifndef P3_CLI_TARGET_SECRET_H
#define P3_CLI_TARGET_SECRET_H

#include "cli/secret_source.h"

typedef struct p3_target_secret {
    p3_secret_source source;
    p3_account holder;            /* whose it is: the user of that server */
    p3_packed_settings *settings; /* what says where it is; its strings are borrowed */
    char *host;
    char *user;
    char *key;     /* that tokens are kept under: accounts with the same user there share them */
    char *word;    /* what follows `pop3 authorize` */
    char *renewal; /* how to get another token: an instruction, without a full stop; NULL: it is
                      none */
} p3_target_secret;

/* Makes it of an account's settings, whose strings must outlive it; it must not be moved then.
 * `word` is the account on the command line, `user` and `server` are those of the target. False
 * when out of memory. Free with p3_target_secret_free(), also then. */
bool p3_target_secret_make(p3_target_secret *t, const p3_settings *s, const p3_target *target,
                           const char *word, const char *user, const p3_server_address *server);

/* Those of an account's settings that say where the target's secret is, as they would be called for
 * the account's own server. */
p3_settings p3_target_secret_settings(const p3_target_secret *t, const p3_settings *s);

void p3_target_secret_free(p3_target_secret *t);

#endif

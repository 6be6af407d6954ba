/* The secret for the server of an account's target: a password, or a token, which is obtained and
 * stored like those for POP3 servers. */
#ifndef P3_CLI_TARGET_SECRET_H
#define P3_CLI_TARGET_SECRET_H

#include "cli/secret_source.h"

typedef struct p3_target_secret {
    p3_secret_source source;
    p3_account holder;            /* the user of that server */
    p3_packed_settings *settings; /* the settings for the secret; its strings are borrowed */
    char *host;
    char *user;
    char *key;     /* the key of stored tokens: accounts with the same user there share them */
    char *word;    /* the argument of `pop3 authorize` */
    char *renewal; /* how to get another token: an instruction, without a full stop; NULL: it is not
                      a token */
} p3_target_secret;

/* Creates it from an account's settings, whose strings must outlive it; it must not be moved.
 * `word` is the account on the command line, `user` and `server` are those of the target. False
 * when out of memory. Free with p3_target_secret_free(), also then. */
bool p3_target_secret_make(p3_target_secret *t, const p3_settings *s, const p3_target *target,
                           const char *word, const char *user, const p3_server_address *server);

/* The account's settings for the target's secret, under the names of the settings for the account's
 * own server. */
p3_settings p3_target_secret_settings(const p3_target_secret *t, const p3_settings *s);

void p3_target_secret_free(p3_target_secret *t);

#endif

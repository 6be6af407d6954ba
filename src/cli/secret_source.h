/* Whose secret is looked for, and secrets in files. */
#ifndef P3_CLI_SECRET_SOURCE_H
#define P3_CLI_SECRET_SOURCE_H

#include "collect/sync.h"
#include "settings/packed.h"
#include "support/input.h"

/* What is needed to find an account's secret; everything is the account's. */
typedef struct p3_secret_source {
    const p3_account *account;
    const p3_packed_settings *settings;
    p3_target_kind kind; /* of the target whose secret it is; P3_TARGET_NONE: the account's own */
    const char *prefix;  /* of these settings' names, where it is a target's; or NULL */
    uint32_t outside;    /* tokens come from the runner, which knows the account by this number less
                            one; 0: it does not know it */
} p3_secret_source;

/* Longest secret: tokens run to some ten thousand octets. */
#define P3_SECRET_SIZE 32768

/* Whether it can be sent: UTF-8, without NUL and CR. `doing` says in a problem what was done. */
bool p3_secret_check(const char *data, size_t len, const char *doing, p3_problem *why);

/* The first line of what was read; `doing` as above. */
bool p3_secret_take_line(const char *data, size_t len, const char *doing, p3_secret *out,
                         p3_problem *why);

/* Reads a token-key-file, which has `most` octets at most. Free it also when it fails. */
bool p3_secret_read_key(const char *path, size_t most, p3_input *out, p3_problem *why);

/* The first line of a file that holds a secret; `what` names it in a problem. */
bool p3_secret_from_file(const char *path, const char *what, p3_secret *out, p3_problem *why);

#endif

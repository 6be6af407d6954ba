/* The source of a secret, and secrets in files. */
#ifndef P3_CLI_SECRET_SOURCE_H
#define P3_CLI_SECRET_SOURCE_H

#include "collect/sync.h"
#include "settings/packed.h"
#include "support/input.h"

/* What is needed to find an account's secret; everything belongs to the account. */
typedef struct p3_secret_source p3_secret_source;
struct p3_secret_source {
    const p3_account *account;
    const p3_packed_settings *settings;
    p3_target_kind
        kind; /* the kind of the target whose secret it is; P3_TARGET_NONE: the account's own */
    const char *prefix; /* prefix of the settings' names, for a target; or NULL */
    uint32_t outside; /* the process outside provides tokens, under this number less one; 0: it does
                         not */
    const p3_secret_source *target; /* that of the only target, whose file is checked before; or
                                       NULL */
};

/* Octets of the longest secret: tokens can have some ten thousand. */
#define P3_SECRET_SIZE 32768

/* Whether it can be sent: UTF-8, without NUL and CR. `doing` begins a problem. */
bool p3_secret_check(const char *data, size_t len, const char *doing, p3_problem *why);

/* The first line of the data; `doing` as above. */
bool p3_secret_read_line(const char *data, size_t len, const char *doing, p3_secret *out,
                         p3_problem *why);

/* Reads a token-key-file of at most `most` octets. Free it also after a failure. */
bool p3_secret_read_key(const char *path, size_t most, p3_input *out, p3_problem *why);

/* The first line of a file with a secret; `what` names it in a problem. */
bool p3_secret_from_file(const char *path, const char *what, p3_secret *out, p3_problem *why);

#endif

/* What is kept of an account's tokens. */
#ifndef P3_TOKEN_RECORD_H
#define P3_TOKEN_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Times are in seconds since the epoch, by this machine's clock; 0: none. All strings are owned,
 * and NULL where there is none. */
typedef struct p3_token_record {
    /* Who we are to the provider, and where it is asked. */
    struct {
        char *id;
        char *secret;     /* of a client that registered itself */
        char *endpoint;   /* that issued the tokens */
        char *revocation; /* the endpoint that revokes them */
        bool basic;       /* the secret goes into the header */
    } client;
    struct {
        char *access;
        char *refresh;
        char *scope;
        int64_t obtained;
        int64_t expires; /* the access token; 0: not known */
    } tokens;
    struct {
        int64_t failures; /* in a row */
        int64_t until;    /* the provider is left alone until then */
        int64_t asked;    /* a refresh was sent then, and no answer has been seen */
        char *refusal;    /* why the refresh token is no longer good */
    } trouble;
} p3_token_record;

/* As JSON. NULL when out of memory; it holds secrets: wipe it. */
char *p3_token_record_write(const p3_token_record *r);

/* Reads that. `out` is all zero when it cannot be read. */
bool p3_token_record_read(p3_token_record *out, const char *text, size_t len);

/* Wipes and frees what it holds, and makes it empty. */
void p3_token_record_clear(p3_token_record *r);

/* Puts a copy of `text`, which may be NULL, in place of what `*to` had, which is wiped. False when
 * out of memory. */
bool p3_token_replace(char **to, const char *text);

#endif

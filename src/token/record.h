/* The record of an account's tokens. */
#ifndef P3_TOKEN_RECORD_H
#define P3_TOKEN_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Times are in seconds since the epoch, by this machine's clock; 0: none. All strings belong to the
 * record; NULL: none. */
typedef struct p3_token_record {
    /* The client, and the provider's endpoints. */
    struct {
        char *id;
        char *secret;     /* of a client that registered itself */
        char *endpoint;   /* that issued the tokens */
        char *revocation; /* the endpoint that revokes them */
        bool basic;       /* the secret is sent in the header */
    } client;
    struct {
        char *access;
        char *refresh;
        char *scope;
        int64_t obtained;
        int64_t expires; /* of the access token; 0: not known */
    } tokens;
    struct {
        int64_t failures; /* failures in a row */
        int64_t until;    /* no request before that time */
        int64_t asked;    /* a refresh was sent at that time, without an answer so far */
        char *refusal;    /* why the refresh token is invalid */
    } trouble;
} p3_token_record;

/* As JSON. NULL when out of memory; it contains secrets: wipe it. */
char *p3_token_record_write(const p3_token_record *r);

/* Parses that. `out` is all zero when it cannot be parsed. */
bool p3_token_record_read(p3_token_record *out, const char *text, size_t len);

/* Wipes and frees its contents, and makes it empty. */
void p3_token_record_clear(p3_token_record *r);

/* Replaces `*to`, which is wiped, by a copy of `text`, which may be NULL. False when out of memory.
 */
bool p3_token_replace(char **to, const char *text);

#endif

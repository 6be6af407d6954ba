/* A request to a token endpoint, and the meaning of its answer (RFC 6749 §5). */
#ifndef P3_TOKEN_REQUEST_H
#define P3_TOKEN_REQUEST_H

#include "token/account.h"
#include "web/form.h"
#include "web/json_members.h"

/* The client, as sent to the endpoint. */
typedef struct p3_token_client {
    const char *endpoint;
    const char *id;
    const char *secret; /* NULL: a public client */
    bool basic;
} p3_token_client;

typedef enum p3_token_outcome {
    P3_TOKEN_GRANTED,
    P3_TOKEN_REFUSED, /* for the reason in `code` */
    P3_TOKEN_LATER,   /* the endpoint cannot be reached, or cannot answer now */
    P3_TOKEN_LOST     /* it may have granted something, but no readable answer was received */
} p3_token_outcome;

/* The result. */
typedef struct p3_token_reply {
    json_t *granted;     /* the answer; p3_members_free() */
    char code[64];       /* the error by RFC 6749 §5.2 or RFC 8628 §3.5; "" */
    int64_t retry_after; /* seconds that the server asks to wait; 0 */
} p3_token_reply;

/* Sends the form, with the client's id added, and interprets the answer. `doing` begins the
 * problem, which is set except for P3_TOKEN_GRANTED, and has advice with the command to run. */
p3_token_outcome p3_token_request(const p3_token_account *a, const p3_token_client *client,
                                  p3_form *form, const char *doing, p3_token_reply *reply,
                                  p3_problem *why);

/* What was sent to a provider: secrets in it, or parts of them, are removed from messages about the
 * answer. NULL or zero: nothing secret. */
typedef struct p3_token_sent {
    const p3_form *form;
    const char *secret; /* the client's, if it is not in the form */
} p3_token_sent;

/* Sets the problem's text and exit status for an error code. `details`: the provider's text, or
 * NULL. */
void p3_token_explain(const p3_token_account *a, const p3_token_sent *sent, const char *doing,
                      const char *code, const char *details, p3_problem *why);

/* Stores the tokens of a successful answer in a record; without a new refresh token, the old one
 * remains (RFC 6749 §6). `asked` is when the request was sent. */
bool p3_token_record_answer(const json_t *granted, int64_t asked, const char *doing,
                            p3_token_record *record, p3_problem *why);

#endif

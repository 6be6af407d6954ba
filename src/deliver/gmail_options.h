/* How messages get to Gmail: an account's settings, besides the user. */
#ifndef P3_DELIVER_GMAIL_OPTIONS_H
#define P3_DELIVER_GMAIL_OPTIONS_H

#include "deliver/server_address.h"
#include "support/problem.h"
#include "web/http.h"

/* The time by which Gmail sorts a message. */
typedef enum p3_gmail_date {
    P3_GMAIL_DATE_HEADER = 0, /* that of its Date field */
    P3_GMAIL_DATE_NOW         /* that of its arrival */
} p3_gmail_date;

/* What the target needs besides the user's address. Everything belongs to the caller. */
typedef struct p3_gmail_options {
    const char *url; /* https://HOST[:PORT], see p3_gmail_url_read() */
    p3_server_address
        dialed[2];      /* the servers to connect to: that host, or a proxy. With a proxy from the
                           environment, which has exceptions, both. No host: unused */
    const char *labels; /* names separated by commas; NULL: INBOX */
    bool unread;
    bool never_spam; /* Gmail must not classify it as spam */
    bool calendar;   /* invitations are added to the calendar */
    p3_gmail_date date;
    p3_http_way way;
    /* Returns an access token in new memory, which must be wiped. A token that `*token` already has
     * was refused: it is wiped and freed. Calling threads take turns. */
    bool (*find_token)(void *ctx, char **token, p3_problem *why);
    void *token_ctx;
    const char *renewal; /* how to get another token: an instruction, without a full stop */
} p3_gmail_options;

/* Reads the URL of an API: https only, with nothing after the port. False when it is not one. */
bool p3_gmail_url_read(p3_server_address *out, const char *url);

#endif

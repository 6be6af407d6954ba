/* How messages get to Gmail, other than to whom: what an account's settings say. */
#ifndef P3_DELIVER_GMAIL_OPTIONS_H
#define P3_DELIVER_GMAIL_OPTIONS_H

#include "deliver/server_address.h"
#include "support/problem.h"
#include "web/http.h"

/* Which time Gmail sorts a message by. */
typedef enum p3_gmail_date {
    P3_GMAIL_DATE_HEADER = 0, /* that of its Date field */
    P3_GMAIL_DATE_NOW         /* that of its arrival there */
} p3_gmail_date;

/* What the target needs beside the user's address. Everything is the caller's. */
typedef struct p3_gmail_options {
    const char *url;             /* https://HOST[:PORT], see p3_gmail_url_read() */
    p3_server_address dialed[2]; /* whom to connect to: that host, or a proxy. With a proxy of the
                             environment, which says itself for whom, both. No host: nobody */
    const char *labels;          /* names with commas between; NULL: INBOX */
    bool unread;
    bool never_spam; /* Gmail must not take it for spam */
    bool calendar;   /* invitations are put into the calendar */
    p3_gmail_date date;
    p3_http_way way;
    /* Gives an access token in new memory, which is to be wiped. What `*token` has already was
     * refused: it is wiped and freed. The calling threads take turns. */
    bool (*find_token)(void *ctx, char **token, p3_problem *why);
    void *token_ctx;
    const char *renewal; /* how to get another token: an instruction, without a full stop */
} p3_gmail_options;

/* Reads a URL of an API: only https, and nothing behind the port. False when it is none. */
bool p3_gmail_url_read(p3_server_address *out, const char *url);

#endif

/* The authorization state of a visit (RFC 1939 §4): the secret, which may take its time to find,
 * the connection, and the login. A token that the server refuses is renewed, once, and another
 * login tried with it. */
#ifndef P3_COLLECT_AUTHORIZATION_H
#define P3_COLLECT_AUTHORIZATION_H

#include "collect/jobs.h"
#include "collect/maildrop.h"
#include "collect/trust.h"

typedef struct p3_authorization {
    p3_job job; /* finds the secret; its first member */
    p3_maildrop *drop;
    p3_jobs *jobs;
    const p3_trust *trust;
    p3_secret secret;
    p3_problem problem; /* why there is none */
    bool searching;
    bool only_deletes; /* it has mail to delete, and does nothing else: see p3_trust.frugal */
    bool renewed;      /* the server refused a token, and another was asked for */
    bool wants_secret; /* it has just done so: look for another */
    bool done;
} p3_authorization;

/* Looks for the secret, with drop, jobs and trust set. */
void p3_authorization_find_secret(p3_authorization *a);

/* Whether there is one; fails when there will be none. */
bool p3_authorization_has_secret(const p3_authorization *a);

/* Connects and logs in. No callback of an earlier connection runs. */
void p3_authorization_log_in(p3_authorization *a);

/* What the client found out about the server: not what it was told for this visit alone. */
pop3_server_traits p3_authorization_traits(const p3_authorization *a);

/* Wipes the secret. */
void p3_authorization_forget(p3_authorization *a);

#endif

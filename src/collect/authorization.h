/* The authorization state of a visit (RFC 1939 section 4): finding the secret, connecting, and
 * logging in. If the server refuses a token, it is renewed once, and the login is repeated with the
 * new one. */
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
    bool only_deletes; /* the visit only deletes messages: see p3_trust.frugal */
    bool renewed;      /* the server refused a token, and another was requested */
    bool wants_secret; /* the server has just refused it: look for another */
    bool done;
} p3_authorization;

/* Starts to look for the secret. drop, jobs and trust must be set. */
void p3_authorization_find_secret(p3_authorization *a);

/* Whether the secret was found. Reports failed() to the listener if there is none. */
bool p3_authorization_has_secret(const p3_authorization *a);

/* Connects and logs in. No callback of an earlier connection runs afterwards. */
void p3_authorization_log_in(p3_authorization *a);

/* What the client learned about the server, without what was set for this visit only. */
pop3_server_traits p3_authorization_traits(const p3_authorization *a);

/* Wipes the secret. */
void p3_authorization_forget(p3_authorization *a);

#endif

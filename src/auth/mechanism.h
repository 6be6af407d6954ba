/* The mechanisms for logging in: what each needs, reveals and proves. */
#ifndef P3_AUTH_MECHANISM_H
#define P3_AUTH_MECHANISM_H

#include <pop3/types.h>

/* In the order of the table in mechanism.c. */
typedef enum p3_mechanism {
    P3_MECH_NONE,
    P3_MECH_SCRAM_SHA_256_PLUS,
    P3_MECH_SCRAM_SHA_256,
    P3_MECH_SCRAM_SHA_1_PLUS,
    P3_MECH_SCRAM_SHA_1,
    P3_MECH_OAUTHBEARER,
    P3_MECH_XOAUTH2,
    P3_MECH_PLAIN,
    P3_MECH_LOGIN,
    P3_MECH_USER, /* USER and PASS */
    P3_MECH_EXTERNAL,
    P3_MECH_CRAM_MD5,
    P3_MECH_APOP,
    P3_MECH_DIGEST_MD5,
    P3_MECH_GSSAPI,
    P3_MECH_NTLM,
    P3_MECH_COUNT
} p3_mechanism;

/* A set of them. */
typedef uint32_t p3_mechanisms;

static inline p3_mechanisms p3_mechanism_bit(p3_mechanism m)
{
    return (p3_mechanisms)1 << m;
}

/* What a mechanism needs. */
typedef enum p3_need { P3_NEED_NOTHING, P3_NEED_PASSWORD, P3_NEED_TOKEN } p3_need;

/* How well a mechanism protects the secret, the best first. Within a kind the choice does not
 * matter. */
typedef enum p3_kind {
    P3_KIND_SHA_256_BOUND,
    P3_KIND_SHA_256,
    P3_KIND_SHA_1_BOUND,
    P3_KIND_SHA_1,
    P3_KIND_HIDES,   /* neither the server nor an eavesdropper sees it */
    P3_KIND_REVEALS, /* also mechanisms that are never chosen by default */
    P3_KIND_NONE
} p3_kind;

/* Properties of a mechanism. */
typedef enum p3_quality {
    P3_IS_SASL = 1,         /* uses AUTH */
    P3_IS_CLIENT_FIRST = 2, /* the client speaks first: there is an initial response */
    P3_IS_REVEALING = 4,    /* the server, and any eavesdropper, gets the secret itself */
    P3_IS_BOUND = 8,        /* bound to the TLS connection */
    P3_IS_PROVING = 16,     /* the server also proves that it knows the secret */
    P3_IS_USERLESS = 32     /* works without a user name */
} p3_quality;

typedef struct p3_mechanism_info {
    const char *name; /* static storage */
    p3_kind kind;
    p3_need need;
    unsigned is; /* a set of the above */
} p3_mechanism_info;

const p3_mechanism_info *p3_mechanism_about(p3_mechanism m);

static inline bool p3_mechanism_is(const p3_mechanism_info *m, p3_quality what)
{
    return (m->is & (unsigned)what) != 0;
}

/* The mechanism of this name, ignoring case; P3_MECH_NONE for others. */
p3_mechanism p3_mechanism_named(pop3_str name);

/* The same mechanism bound to TLS; P3_MECH_NONE when there is none. */
p3_mechanism p3_mechanism_bound_form(p3_mechanism m);

/* The mechanisms that a server offers: those it announced (NULL when CAPA is refused), and APOP if
 * the greeting has a timestamp. */
p3_mechanisms p3_mechanisms_offered(const pop3_capabilities *caps, bool timestamp);

/* The same mechanism without the binding to TLS; P3_MECH_NONE for one that is not bound. */
p3_mechanism p3_mechanism_unbound_form(p3_mechanism m);

/* Whether `now` is of a weaker kind than `before`, as after an attacker has removed mechanisms from
 * the list. P3_MECH_NONE is the weakest. */
bool p3_mechanism_weaker(p3_mechanism now, p3_mechanism before);

#endif

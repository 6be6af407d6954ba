/* The methods of logging in: what each needs, reveals and proves. */
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

/* What a method works with. */
typedef enum p3_need { P3_NEED_NOTHING, P3_NEED_PASSWORD, P3_NEED_TOKEN } p3_need;

/* How well a method protects the secret, the best first. Within a kind it makes no odds which one
 * is used. */
typedef enum p3_kind {
    P3_KIND_SHA_256_BOUND,
    P3_KIND_SHA_256,
    P3_KIND_SHA_1_BOUND,
    P3_KIND_SHA_1,
    P3_KIND_HIDES,   /* neither the server nor who listens sees it */
    P3_KIND_REVEALS, /* and those that are never picked */
    P3_KIND_NONE
} p3_kind;

/* What is true of a method. */
typedef enum p3_quality {
    P3_IS_SASL = 1,         /* it goes through AUTH */
    P3_IS_CLIENT_FIRST = 2, /* the client speaks first, so there is an initial response */
    P3_IS_REVEALING = 4,    /* the server sees the secret itself, and so does who listens */
    P3_IS_BOUND = 8,        /* bound to the TLS connection */
    P3_IS_PROVING = 16,     /* the server proves that it knows the secret, too */
    P3_IS_USERLESS = 32     /* can do without a user's name */
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

/* The method of this name, letters' case ignored; P3_MECH_NONE for others. */
p3_mechanism p3_mechanism_named(pop3_str name);

/* The method that is the same but bound to TLS; P3_MECH_NONE when there is none. */
p3_mechanism p3_mechanism_bound_form(p3_mechanism m);

/* The methods a server offers: what it announced (NULL when CAPA is refused), and APOP when the
 * greeting has a timestamp. */
p3_mechanisms p3_mechanisms_offered(const pop3_capabilities *caps, bool timestamp);

/* The method without the binding to TLS; P3_MECH_NONE for one that is not bound. */
p3_mechanism p3_mechanism_unbound_form(p3_mechanism m);

/* Whether `now` is a weaker kind of method than `before`: what somebody who takes methods away from
 * the list would want. P3_MECH_NONE is the weakest. */
bool p3_mechanism_weaker(p3_mechanism now, p3_mechanism before);

#endif

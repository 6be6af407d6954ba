/* The mechanisms for logging in: what each needs, reveals and proves. */
#include "auth/mechanism.h"

#include "core/text.h"

#include <string.h>

static const p3_mechanism_info table[P3_MECH_COUNT] = {
    [P3_MECH_NONE] = {"", P3_KIND_NONE, P3_NEED_NOTHING, 0},
    [P3_MECH_SCRAM_SHA_256_PLUS] = {"SCRAM-SHA-256-PLUS", P3_KIND_SHA_256_BOUND, P3_NEED_PASSWORD,
                                    P3_IS_SASL | P3_IS_CLIENT_FIRST | P3_IS_BOUND | P3_IS_PROVING},
    [P3_MECH_SCRAM_SHA_256] = {"SCRAM-SHA-256", P3_KIND_SHA_256, P3_NEED_PASSWORD,
                               P3_IS_SASL | P3_IS_CLIENT_FIRST | P3_IS_PROVING},
    [P3_MECH_SCRAM_SHA_1_PLUS] = {"SCRAM-SHA-1-PLUS", P3_KIND_SHA_1_BOUND, P3_NEED_PASSWORD,
                                  P3_IS_SASL | P3_IS_CLIENT_FIRST | P3_IS_BOUND | P3_IS_PROVING},
    [P3_MECH_SCRAM_SHA_1] = {"SCRAM-SHA-1", P3_KIND_SHA_1, P3_NEED_PASSWORD,
                             P3_IS_SASL | P3_IS_CLIENT_FIRST | P3_IS_PROVING},
    [P3_MECH_OAUTHBEARER] = {"OAUTHBEARER", P3_KIND_REVEALS, P3_NEED_TOKEN,
                             P3_IS_SASL | P3_IS_CLIENT_FIRST | P3_IS_REVEALING},
    [P3_MECH_XOAUTH2] = {"XOAUTH2", P3_KIND_REVEALS, P3_NEED_TOKEN,
                         P3_IS_SASL | P3_IS_CLIENT_FIRST | P3_IS_REVEALING},
    [P3_MECH_PLAIN] = {"PLAIN", P3_KIND_REVEALS, P3_NEED_PASSWORD,
                       P3_IS_SASL | P3_IS_CLIENT_FIRST | P3_IS_REVEALING},
    [P3_MECH_LOGIN] = {"LOGIN", P3_KIND_REVEALS, P3_NEED_PASSWORD, P3_IS_SASL | P3_IS_REVEALING},
    [P3_MECH_USER] = {"USER", P3_KIND_REVEALS, P3_NEED_PASSWORD, P3_IS_REVEALING},
    [P3_MECH_EXTERNAL] = {"EXTERNAL", P3_KIND_HIDES, P3_NEED_NOTHING,
                          P3_IS_SASL | P3_IS_CLIENT_FIRST | P3_IS_USERLESS},
    [P3_MECH_CRAM_MD5] = {"CRAM-MD5", P3_KIND_HIDES, P3_NEED_PASSWORD, P3_IS_SASL},
    [P3_MECH_APOP] = {"APOP", P3_KIND_HIDES, P3_NEED_PASSWORD, 0},
    [P3_MECH_DIGEST_MD5] = {"DIGEST-MD5", P3_KIND_REVEALS, P3_NEED_PASSWORD,
                            P3_IS_SASL | P3_IS_PROVING},
    [P3_MECH_GSSAPI] = {"GSSAPI", P3_KIND_REVEALS, P3_NEED_NOTHING,
                        P3_IS_SASL | P3_IS_CLIENT_FIRST | P3_IS_PROVING | P3_IS_USERLESS},
    [P3_MECH_NTLM] = {"NTLM", P3_KIND_REVEALS, P3_NEED_PASSWORD, P3_IS_SASL | P3_IS_CLIENT_FIRST},
};

const p3_mechanism_info *p3_mechanism_about(p3_mechanism m)
{
    return &table[m];
}

p3_mechanism p3_mechanism_named(pop3_str name)
{
    for (int m = P3_MECH_NONE + 1; m < P3_MECH_COUNT; m++) {
        if (p3_equals_nocase(name, table[m].name))
            return (p3_mechanism)m;
    }
    return P3_MECH_NONE;
}

p3_mechanism p3_mechanism_bound_form(p3_mechanism m)
{
    switch (m) {
    case P3_MECH_SCRAM_SHA_256:
        return P3_MECH_SCRAM_SHA_256_PLUS;
    case P3_MECH_SCRAM_SHA_1:
        return P3_MECH_SCRAM_SHA_1_PLUS;
    default:
        return P3_MECH_NONE;
    }
}

p3_mechanisms p3_mechanisms_offered(const pop3_capabilities *caps, bool timestamp)
{
    p3_mechanisms set = timestamp ? p3_mechanism_bit(P3_MECH_APOP) : 0;
    if (caps == NULL) /* a server without CAPA: only RFC 1939 can be assumed */
        return set | p3_mechanism_bit(P3_MECH_USER);
    if ((caps->flags & POP3_CAP_USER) != 0)
        set |= p3_mechanism_bit(P3_MECH_USER);
    if ((caps->flags & POP3_CAP_SASL) == 0)
        return set;
    for (size_t i = 0; i < caps->sasl_count; i++) {
        p3_mechanism m = p3_mechanism_named(p3_span(caps->sasl[i], strlen(caps->sasl[i])));
        if (m != P3_MECH_NONE && p3_mechanism_is(&table[m], P3_IS_SASL))
            set |= p3_mechanism_bit(m);
    }
    return set;
}

p3_mechanism p3_mechanism_unbound_form(p3_mechanism m)
{
    switch (m) {
    case P3_MECH_SCRAM_SHA_256_PLUS:
        return P3_MECH_SCRAM_SHA_256;
    case P3_MECH_SCRAM_SHA_1_PLUS:
        return P3_MECH_SCRAM_SHA_1;
    default:
        return P3_MECH_NONE;
    }
}

bool p3_mechanism_weaker(p3_mechanism now, p3_mechanism before)
{
    return table[now].kind > table[before].kind;
}

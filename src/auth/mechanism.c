/* The methods of logging in: what each needs, reveals and proves. */
#include "auth/mechanism.h"

#include "core/text.h"

#include <string.h>

static const p3_mechanism_info table[P3_MECH_COUNT] = {
    [P3_MECH_NONE] = {.name = "", .kind = P3_KIND_NONE},
    [P3_MECH_SCRAM_SHA_256_PLUS] = {.name = "SCRAM-SHA-256-PLUS",
                                    .kind = P3_KIND_SHA_256_BOUND,
                                    .need = P3_NEED_PASSWORD,
                                    .sasl = true,
                                    .client_first = true,
                                    .bound = true,
                                    .proves = true},
    [P3_MECH_SCRAM_SHA_256] = {.name = "SCRAM-SHA-256",
                               .kind = P3_KIND_SHA_256,
                               .need = P3_NEED_PASSWORD,
                               .sasl = true,
                               .client_first = true,
                               .proves = true},
    [P3_MECH_SCRAM_SHA_1_PLUS] = {.name = "SCRAM-SHA-1-PLUS",
                                  .kind = P3_KIND_SHA_1_BOUND,
                                  .need = P3_NEED_PASSWORD,
                                  .sasl = true,
                                  .client_first = true,
                                  .bound = true,
                                  .proves = true},
    [P3_MECH_SCRAM_SHA_1] = {.name = "SCRAM-SHA-1",
                             .kind = P3_KIND_SHA_1,
                             .need = P3_NEED_PASSWORD,
                             .sasl = true,
                             .client_first = true,
                             .proves = true},
    [P3_MECH_OAUTHBEARER] = {.name = "OAUTHBEARER",
                             .kind = P3_KIND_REVEALS,
                             .need = P3_NEED_TOKEN,
                             .sasl = true,
                             .client_first = true,
                             .reveals = true},
    [P3_MECH_XOAUTH2] = {.name = "XOAUTH2",
                         .kind = P3_KIND_REVEALS,
                         .need = P3_NEED_TOKEN,
                         .sasl = true,
                         .client_first = true,
                         .reveals = true},
    [P3_MECH_PLAIN] = {.name = "PLAIN",
                       .kind = P3_KIND_REVEALS,
                       .need = P3_NEED_PASSWORD,
                       .sasl = true,
                       .client_first = true,
                       .reveals = true},
    [P3_MECH_LOGIN] = {.name = "LOGIN",
                       .kind = P3_KIND_REVEALS,
                       .need = P3_NEED_PASSWORD,
                       .sasl = true,
                       .reveals = true},
    [P3_MECH_USER] = {.name = "USER",
                      .kind = P3_KIND_REVEALS,
                      .need = P3_NEED_PASSWORD,
                      .reveals = true},
    [P3_MECH_EXTERNAL] = {.name = "EXTERNAL",
                          .kind = P3_KIND_HIDES,
                          .sasl = true,
                          .client_first = true,
                          .userless = true},
    [P3_MECH_CRAM_MD5] = {.name = "CRAM-MD5",
                          .kind = P3_KIND_HIDES,
                          .need = P3_NEED_PASSWORD,
                          .sasl = true},
    [P3_MECH_APOP] = {.name = "APOP", .kind = P3_KIND_HIDES, .need = P3_NEED_PASSWORD},
    [P3_MECH_DIGEST_MD5] = {.name = "DIGEST-MD5",
                            .kind = P3_KIND_REVEALS,
                            .need = P3_NEED_PASSWORD,
                            .sasl = true,
                            .proves = true},
    [P3_MECH_GSSAPI] = {.name = "GSSAPI",
                        .kind = P3_KIND_REVEALS,
                        .sasl = true,
                        .client_first = true,
                        .proves = true,
                        .userless = true},
    [P3_MECH_NTLM] = {.name = "NTLM",
                      .kind = P3_KIND_REVEALS,
                      .need = P3_NEED_PASSWORD,
                      .sasl = true,
                      .client_first = true},
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
    if (caps == NULL) /* a server without CAPA: RFC 1939 is all that it can be thought to know */
        return set | p3_mechanism_bit(P3_MECH_USER);
    if ((caps->flags & POP3_CAP_USER) != 0)
        set |= p3_mechanism_bit(P3_MECH_USER);
    if ((caps->flags & POP3_CAP_SASL) == 0)
        return set;
    for (size_t i = 0; i < caps->sasl_count; i++) {
        p3_mechanism m = p3_mechanism_named(p3_span(caps->sasl[i], strlen(caps->sasl[i])));
        if (m != P3_MECH_NONE && table[m].sasl)
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

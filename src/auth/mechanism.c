/* The methods of logging in: what each needs, what it reveals, and which is the best. */
#include "auth/mechanism.h"

#include "auth/digest.h"
#include "auth/sasl.h"
#include "core/text.h"

#include <string.h>

static const p3_mechanism_info table[P3_MECH_COUNT] = {
    [P3_MECH_NONE] = {.name = ""},
    [P3_MECH_SCRAM_SHA_256_PLUS] = {.name = "SCRAM-SHA-256-PLUS",
                                    .need = P3_NEED_PASSWORD,
                                    .sasl = true,
                                    .client_first = true,
                                    .bound = true,
                                    .proves = true},
    [P3_MECH_SCRAM_SHA_256] = {.name = "SCRAM-SHA-256",
                               .need = P3_NEED_PASSWORD,
                               .sasl = true,
                               .client_first = true,
                               .proves = true},
    [P3_MECH_SCRAM_SHA_1_PLUS] = {.name = "SCRAM-SHA-1-PLUS",
                                  .need = P3_NEED_PASSWORD,
                                  .sasl = true,
                                  .client_first = true,
                                  .bound = true,
                                  .proves = true},
    [P3_MECH_SCRAM_SHA_1] = {.name = "SCRAM-SHA-1",
                             .need = P3_NEED_PASSWORD,
                             .sasl = true,
                             .client_first = true,
                             .proves = true},
    [P3_MECH_OAUTHBEARER] = {.name = "OAUTHBEARER",
                             .need = P3_NEED_TOKEN,
                             .sasl = true,
                             .client_first = true,
                             .reveals = true},
    [P3_MECH_XOAUTH2] = {.name = "XOAUTH2",
                         .need = P3_NEED_TOKEN,
                         .sasl = true,
                         .client_first = true,
                         .reveals = true},
    [P3_MECH_PLAIN] = {.name = "PLAIN",
                       .need = P3_NEED_PASSWORD,
                       .sasl = true,
                       .client_first = true,
                       .reveals = true},
    [P3_MECH_LOGIN] = {.name = "LOGIN", .need = P3_NEED_PASSWORD, .sasl = true, .reveals = true},
    [P3_MECH_USER] = {.name = "USER", .need = P3_NEED_PASSWORD, .reveals = true},
    [P3_MECH_EXTERNAL] = {.name = "EXTERNAL", .sasl = true, .client_first = true, .userless = true},
    [P3_MECH_CRAM_MD5] = {.name = "CRAM-MD5", .need = P3_NEED_PASSWORD, .sasl = true},
    [P3_MECH_APOP] = {.name = "APOP", .need = P3_NEED_PASSWORD},
    [P3_MECH_DIGEST_MD5] = {.name = "DIGEST-MD5",
                            .need = P3_NEED_PASSWORD,
                            .sasl = true,
                            .proves = true},
    [P3_MECH_GSSAPI] =
        {.name = "GSSAPI", .sasl = true, .client_first = true, .proves = true, .userless = true},
    [P3_MECH_NTLM] = {.name = "NTLM", .need = P3_NEED_PASSWORD, .sasl = true, .client_first = true},
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

bool p3_mechanism_built(p3_mechanism m)
{
    if (m == P3_MECH_USER)
        return true;
    return m == P3_MECH_APOP ? p3_have_digests() : p3_sasl_built(m);
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

/* Whether a method can work at all, leaving open whether it would show the secret. */
static bool possible(p3_mechanism m, const p3_circumstances *c)
{
    const p3_mechanism_info *about = &table[m];
    if (!p3_mechanism_built(m) || (about->bound && !c->binding))
        return false;
    if (!c->user && !about->userless)
        return false;
    switch (about->need) {
    case P3_NEED_PASSWORD:
        return c->password;
    case P3_NEED_TOKEN:
        return c->token;
    default: /* a certificate: only where nothing else was given */
        return c->encrypted && !c->password && !c->token;
    }
}

static p3_mechanism first_of(const p3_mechanism *order, p3_mechanisms offered,
                             const p3_circumstances *c, bool exposing)
{
    for (; *order != P3_MECH_NONE; order++) {
        if ((offered & p3_mechanism_bit(*order)) == 0 || !possible(*order, c))
            continue;
        if (table[*order].reveals && (c->never_reveal || (!c->private_line && !exposing)))
            continue;
        return *order;
    }
    return P3_MECH_NONE;
}

static const p3_mechanism private_order[] = {
    P3_MECH_SCRAM_SHA_256_PLUS,
    P3_MECH_SCRAM_SHA_256,
    P3_MECH_SCRAM_SHA_1_PLUS,
    P3_MECH_SCRAM_SHA_1,
    P3_MECH_OAUTHBEARER,
    P3_MECH_XOAUTH2,
    P3_MECH_PLAIN,
    P3_MECH_LOGIN,
    P3_MECH_USER,
    P3_MECH_EXTERNAL,
    P3_MECH_CRAM_MD5,
    P3_MECH_APOP,
    P3_MECH_NONE,
};

static const p3_mechanism exposed_order[] = {
    P3_MECH_SCRAM_SHA_256, P3_MECH_SCRAM_SHA_1, P3_MECH_CRAM_MD5, P3_MECH_APOP, P3_MECH_OAUTHBEARER,
    P3_MECH_XOAUTH2,       P3_MECH_PLAIN,       P3_MECH_LOGIN,    P3_MECH_USER, P3_MECH_NONE,
};

p3_mechanism p3_mechanism_pick(p3_mechanisms offered, const p3_circumstances *c, bool *insecure)
{
    const p3_mechanism *order = c->private_line ? private_order : exposed_order;
    p3_mechanism m = first_of(order, offered, c, c->allow_plaintext);
    /* Many servers take USER and PASS without saying so. Where nobody listens, or that was allowed,
     * it is worth a try. */
    if (m == P3_MECH_NONE)
        m = first_of(order, p3_mechanism_bit(P3_MECH_USER), c, c->allow_plaintext);
    *insecure = m == P3_MECH_NONE && first_of(order, offered, c, true) != P3_MECH_NONE;
    return m;
}

/* Kinds of methods, the strongest first. Within a kind it makes no odds which one is used. */
static int kind_of(p3_mechanism m)
{
    switch (m) {
    case P3_MECH_SCRAM_SHA_256_PLUS:
        return 0;
    case P3_MECH_SCRAM_SHA_256:
        return 1;
    case P3_MECH_SCRAM_SHA_1_PLUS:
        return 2;
    case P3_MECH_SCRAM_SHA_1:
        return 3;
    case P3_MECH_EXTERNAL:
    case P3_MECH_CRAM_MD5:
    case P3_MECH_APOP:
        return 4;
    case P3_MECH_NONE:
        return 6;
    default: /* those that reveal the secret; the rest is never picked */
        return 5;
    }
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

/* What a method keeps from whom: 3 and 2, the secret is only proven, by both sides, and (3) to this
 * connection's other end alone; 1, it is only proven, and easier to guess by who listens; 0, it is
 * shown to the server. SCRAM's two hashes differ in nothing that matters here: what can be guessed
 * from an exchange is as slow to guess with both. */
static int protection(p3_mechanism m)
{
    const p3_mechanism_info *about = &table[m];
    return about->reveals ? 0 : about->bound ? 3 : about->proves ? 2 : 1;
}

p3_mechanism p3_mechanism_after(p3_mechanism refused, p3_mechanisms offered, p3_mechanisms spent,
                                const p3_circumstances *c)
{
    p3_mechanisms worthy = 0;
    for (int m = P3_MECH_NONE + 1; m < P3_MECH_COUNT; m++) {
        if (protection((p3_mechanism)m) >= protection(refused))
            worthy |= p3_mechanism_bit((p3_mechanism)m);
    }
    worthy &= offered;
    /* Some servers have no APOP secret for those whose password the system keeps, and yet greet
     * with a timestamp, which anybody on the way could have left out as well. */
    if (refused == P3_MECH_APOP)
        worthy |= p3_mechanism_bit(P3_MECH_USER);
    worthy &= ~(spent | p3_mechanism_bit(refused));
    return first_of(c->private_line ? private_order : exposed_order, worthy, c, c->allow_plaintext);
}

bool p3_mechanism_weaker(p3_mechanism now, p3_mechanism before)
{
    return kind_of(now) > kind_of(before);
}

/* Which mechanism a login uses. */
#include "auth/preference.h"

#include "auth/digest.h"
#include "auth/sasl.h"

bool p3_mechanism_built(p3_mechanism m)
{
    if (m == P3_MECH_USER)
        return true;
    return m == P3_MECH_APOP ? p3_have_digests() : p3_sasl_built(m);
}

/* Whether a mechanism can work at all, even if it would reveal the secret. */
static bool possible(p3_mechanism m, const p3_circumstances *c)
{
    const p3_mechanism_info *about = p3_mechanism_about(m);
    if (!p3_mechanism_built(m) || (p3_mechanism_is(about, P3_IS_BOUND) && !c->binding))
        return false;
    if (!c->user && !p3_mechanism_is(about, P3_IS_USERLESS))
        return false;
    switch (about->need) {
    case P3_NEED_PASSWORD:
        return c->password;
    case P3_NEED_TOKEN:
        return c->token;
    default: /* a certificate: only if nothing else was given */
        return c->encrypted && !c->password && !c->token;
    }
}

static p3_mechanism first_of(const p3_mechanism *order, p3_mechanisms offered,
                             const p3_circumstances *c, bool exposing)
{
    for (; *order != P3_MECH_NONE; order++) {
        if ((offered & p3_mechanism_bit(*order)) == 0 || !possible(*order, c))
            continue;
        if (p3_mechanism_is(p3_mechanism_about(*order), P3_IS_REVEALING) &&
            (c->never_reveal || (!c->private_line && !exposing)))
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
    /* Many servers accept USER and PASS without announcing them. If nobody can eavesdrop, or that
     * is allowed, they are tried. */
    if (m == P3_MECH_NONE)
        m = first_of(order, p3_mechanism_bit(P3_MECH_USER), c, c->allow_plaintext);
    *insecure = m == P3_MECH_NONE && first_of(order, offered, c, true) != P3_MECH_NONE;
    return m;
}

/* How well a mechanism protects the secret. 3 and 2: both sides prove it, with 3 only to the other
 * end of this connection; 1: it is proven, but easier to guess for an eavesdropper; 0: it is
 * revealed to the server. SCRAM's two hashes count as equal: guessing from an exchange is equally
 * slow with both. */
static int protection(p3_mechanism m)
{
    const p3_mechanism_info *about = p3_mechanism_about(m);
    return p3_mechanism_is(about, P3_IS_REVEALING) ? 0
           : p3_mechanism_is(about, P3_IS_BOUND)   ? 3
           : p3_mechanism_is(about, P3_IS_PROVING) ? 2
                                                   : 1;
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
    /* Some servers greet with a timestamp, but have no APOP secret for users with system passwords;
     * an attacker could also have removed the timestamp. */
    if (refused == P3_MECH_APOP)
        worthy |= p3_mechanism_bit(P3_MECH_USER);
    worthy &= ~(spent | p3_mechanism_bit(refused));
    return first_of(c->private_line ? private_order : exposed_order, worthy, c, c->allow_plaintext);
}

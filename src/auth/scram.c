/* SCRAM's messages on the client's side (RFC 5802 §5 and §7): composing, parsing, and the proofs of
 * both sides. */
#include "auth/scram.h"

#include "auth/saslname.h"
#include "core/base64.h"
#include "core/text.h"
#include "core/values.h"
#include "core/wipe.h"

#include <string.h>

static pop3_status fail_exchange(p3_scram *x, const char *why)
{
    p3_text text = p3_text_begin(x->why, sizeof x->why);
    p3_text_add(&text, why);
    return POP3_ERR_AUTHENTICATION;
}

static pop3_str span_of(const p3_octets *o)
{
    return p3_span(o->data, o->len);
}

/* ---- client-first-message ---- */

/* gs2-header: the flag, and the authorization identity. */
static bool compose_header(p3_scram *x)
{
    static const char *const flags[] = {"n", "y", "p="};
    const char *bound = x->flag == P3_SCRAM_BOUND ? x->binding_name : "";
    const char *acting = x->authzid != NULL ? "a=" : "";
    return p3_octets_add_texts(&x->header, flags[x->flag], bound, ",", acting, NULL) &&
           p3_add_saslname(&x->header, x->authzid != NULL ? x->authzid : "") &&
           p3_octets_add_text(&x->header, ",");
}

pop3_status p3_scram_first(p3_scram *x, p3_octets *message)
{
    bool ok = compose_header(x) && p3_octets_add_text(&x->said, "n=") &&
              p3_add_saslname(&x->said, x->user) &&
              p3_octets_add_texts(&x->said, ",r=", x->nonce, NULL) &&
              p3_octets_add_texts(message, x->header.data, x->said.data, NULL);
    return ok ? POP3_OK : POP3_ERR_MEMORY;
}

/* ---- what the server says ---- */

/* Parses an attribute of this name at the front, and the comma after it. */
static bool take_attribute(pop3_str *rest, char name, pop3_str *value)
{
    if (rest->len < 2 || rest->data[0] != name || rest->data[1] != '=')
        return false;
    *rest = p3_skip(*rest, 2);
    const char *comma = rest->len == 0 ? NULL : memchr(rest->data, ',', rest->len);
    size_t len = comma == NULL ? rest->len : (size_t)(comma - rest->data);
    *value = p3_span(rest->data, len);
    *rest = p3_skip(*rest, comma == NULL ? len : len + 1);
    return true;
}

/* Unknown extensions that follow may be ignored, except mandatory ones: §5.1, m. */
static bool may_ignore(pop3_str rest)
{
    pop3_str value;
    while (rest.len > 0) {
        char name = p3_upper(rest.data[0]);
        if (name < 'A' || name > 'Z' || rest.data[0] == 'm' ||
            !take_attribute(&rest, rest.data[0], &value))
            return false;
    }
    return true;
}

/* The server's nonce must begin with ours and be longer. */
static bool nonce_ok(const p3_scram *x, pop3_str nonce)
{
    size_t ours = strlen(x->nonce);
    for (size_t i = 0; i < nonce.len; i++) {
        if (nonce.data[i] <= ' ' || nonce.data[i] > '~')
            return false;
    }
    return nonce.len > ours && memcmp(nonce.data, x->nonce, ours) == 0;
}

static bool count_ok(pop3_str text, uint32_t *count)
{
    uint64_t value;
    if (!p3_parse_number(&text, &value) || text.len > 0)
        return false;
    *count = (uint32_t)value;
    return value >= P3_SCRAM_LEAST_ITERATIONS && value <= P3_SCRAM_MOST_ITERATIONS;
}

/* server-error: shown with everything unprintable escaped. */
static pop3_status report(p3_scram *x, pop3_str error)
{
    p3_text text = p3_text_begin(x->why, sizeof x->why);
    p3_text_add_printable(&text, error, 64);
    return POP3_ERR_REFUSED;
}

/* The contents of server-first-message. */
typedef struct offer {
    pop3_str nonce;
    p3_octets salt;
    uint32_t iterations;
} offer;

static pop3_status read_offer(p3_scram *x, pop3_str text, offer *o)
{
    pop3_str salt, count;
    if (text.len >= 2 && memcmp(text.data, "m=", 2) == 0)
        return fail_exchange(x, "the server requires an unknown extension of SCRAM");
    if (!take_attribute(&text, 'r', &o->nonce) || !take_attribute(&text, 's', &salt) ||
        !take_attribute(&text, 'i', &count) || !may_ignore(text))
        return fail_exchange(x, "the server's challenge is not one of this mechanism");
    if (!nonce_ok(x, o->nonce))
        return fail_exchange(x, "the server's nonce does not begin with the client's: the answer "
                                "belongs to another login");
    pop3_status status = p3_base64_decode(&o->salt, salt);
    if (status == POP3_ERR_MEMORY)
        return status;
    if (status != POP3_OK || o->salt.len == 0 || !count_ok(count, &o->iterations))
        return fail_exchange(x, "the server's salt or iteration count is not acceptable");
    return POP3_OK;
}

/* ---- the proofs ---- */

/* ClientProof, and the signature that the server must answer, from SaltedPassword: §3. */
static bool prove(p3_scram *x, const unsigned char *salted, unsigned char *proof)
{
    size_t n = p3_digest_size(x->digest);
    unsigned char stored[P3_DIGEST_MOST], key[P3_DIGEST_MOST];
    pop3_str by_password = p3_span((const char *)salted, n);
    pop3_str by_key = p3_span((const char *)key, n);
    bool ok = p3_digest_hmac(x->digest, by_password, p3_span("Server Key", 10), key) &&
              p3_digest_hmac(x->digest, by_key, span_of(&x->said), x->signature) &&
              p3_digest_hmac(x->digest, by_password, p3_span("Client Key", 10), key) &&
              p3_digest_of(x->digest, by_key, stored) &&
              p3_digest_hmac(x->digest, p3_span((const char *)stored, n), span_of(&x->said), proof);
    for (size_t i = 0; ok && i < n; i++)
        proof[i] ^= key[i];
    p3_wipe(stored, sizeof stored);
    p3_wipe(key, sizeof key);
    return ok;
}

/* Composes client-final-message-without-proof: the header again with the binding's value, by which
 * the server sees that nobody changed either, and the nonce of both. */
static bool compose_final(const p3_scram *x, pop3_str nonce, p3_octets *message)
{
    p3_octets input = {0}; /* cbind-input */
    size_t bound = x->flag == P3_SCRAM_BOUND ? x->binding.len : 0;
    bool ok = p3_octets_add(&input, x->header.data, x->header.len) &&
              p3_octets_add(&input, x->binding.data, bound) && p3_octets_add_text(message, "c=") &&
              p3_base64_encode(message, input.data, input.len) &&
              p3_octets_add_text(message, ",r=") && p3_octets_add(message, nonce.data, nonce.len);
    p3_octets_free(&input);
    return ok;
}

pop3_status p3_scram_go_on(p3_scram *x, p3_octets *message)
{
    unsigned char salted[P3_DIGEST_MOST], proof[P3_DIGEST_MOST];
    pop3_status status = p3_stretch_step(x->stretch, salted);
    if (status == POP3_PENDING)
        return status;
    p3_stretch_free(x->stretch);
    x->stretch = NULL;
    if (status == POP3_OK && !prove(x, salted, proof))
        status = POP3_ERR_NOT_OFFERED;
    if (status == POP3_OK &&
        !(p3_octets_add_texts(message, x->final.data, ",p=", NULL) &&
          p3_base64_encode(message, (const char *)proof, p3_digest_size(x->digest))))
        status = POP3_ERR_MEMORY;
    x->proved = status == POP3_OK;
    p3_wipe(salted, sizeof salted);
    p3_wipe(proof, sizeof proof);
    return status;
}

pop3_status p3_scram_final(p3_scram *x, pop3_str challenge, const char *password,
                           p3_octets *message)
{
    offer o = {0};
    pop3_str rest = challenge, error;
    if (take_attribute(&rest, 'e', &error))
        return report(x, error);
    pop3_status status = read_offer(x, challenge, &o);
    if (status != POP3_OK)
        goto out;
    status = POP3_ERR_MEMORY;
    if (!compose_final(x, o.nonce, &x->final) || !p3_octets_add_text(&x->said, ",") ||
        !p3_octets_add(&x->said, challenge.data, challenge.len) ||
        !p3_octets_add_texts(&x->said, ",", x->final.data, NULL))
        goto out;
    status = p3_stretch_begin(&x->stretch, x->digest, password, span_of(&o.salt), o.iterations);
    if (status == POP3_OK)
        status = p3_scram_go_on(x, message);
out:
    p3_octets_free(&o.salt);
    return status;
}

/* Compares octets in constant time. */
static bool is_equal(const unsigned char *a, const unsigned char *b, size_t n)
{
    unsigned char differences = 0;
    for (size_t i = 0; i < n; i++)
        differences |= a[i] ^ b[i];
    return differences == 0;
}

pop3_status p3_scram_verify(p3_scram *x, pop3_str challenge)
{
    size_t n = p3_digest_size(x->digest);
    pop3_str value;
    p3_octets signature = {0};
    if (take_attribute(&challenge, 'e', &value))
        return report(x, value);
    if (!take_attribute(&challenge, 'v', &value) || !may_ignore(challenge))
        return fail_exchange(x, "the server's challenge is not one of this mechanism");
    pop3_status status = p3_base64_decode(&signature, value);
    if (status != POP3_ERR_MEMORY &&
        (status != POP3_OK || !x->proved || signature.len != n ||
         !is_equal((const unsigned char *)signature.data, x->signature, n)))
        status =
            fail_exchange(x, "the server did not prove that it knows the password: the password is "
                             "wrong, or an attacker answers");
    p3_octets_free(&signature);
    return status;
}

void p3_scram_end(p3_scram *x)
{
    p3_stretch_free(x->stretch);
    p3_octets_free(&x->final);
    p3_octets_free(&x->header);
    p3_octets_free(&x->said);
    p3_wipe(x, sizeof *x);
}

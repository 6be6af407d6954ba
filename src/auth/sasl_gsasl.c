/* SASL mechanisms through GNU SASL: SCRAM with and without binding to TLS, DIGEST-MD5, GSSAPI,
 * NTLM.
 *
 * The library does not wipe what it frees. SCRAM is therefore given what is derived from the
 * password (RFC 5802 §3) and never the password itself, and what a session holds is wiped in place
 * before it goes. DIGEST-MD5 and NTLM cannot do without the password, and leave copies behind. */
#include "auth/sasl.h"

#include "auth/scram_key.h"
#include "core/wipe.h"

#include <gsasl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct p3_gsasl {
    Gsasl *library;
    Gsasl_session *session;
    pop3_status failed; /* what went wrong inside of the library's callback, or POP3_OK */
} p3_gsasl;

static bool is_sha256(p3_mechanism m)
{
    return m == P3_MECH_SCRAM_SHA_256 || m == P3_MECH_SCRAM_SHA_256_PLUS;
}

static bool is_scram(p3_mechanism m)
{
    return is_sha256(m) || m == P3_MECH_SCRAM_SHA_1 || m == P3_MECH_SCRAM_SHA_1_PLUS;
}

bool p3_gsasl_has(p3_mechanism m)
{
    Gsasl *library;
    if (!is_scram(m) && m != P3_MECH_DIGEST_MD5 && m != P3_MECH_GSSAPI && m != P3_MECH_NTLM)
        return false;
    if (gsasl_init(&library) != GSASL_OK)
        return false;
    bool has = gsasl_client_support_p(library, p3_mechanism_about(m)->name) != 0;
    gsasl_done(library);
    return has;
}

static int give(Gsasl_session *session, Gsasl_property property, const char *value)
{
    if (value == NULL)
        return GSASL_NO_CALLBACK;
    gsasl_property_set(session, property, value);
    return GSASL_OK;
}

static bool is_ascii(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text < ' ' || *text > '~')
            return false;
    }
    return true;
}

/* SASLprep leaves printable ASCII as it is; no copy is made of it. */
static int salted_password(p3_sasl *s, Gsasl_session *session)
{
    char key[P3_SCRAM_KEY];
    char *prepared = NULL;
    const char *password = s->id->secret;
    const char *salt = gsasl_property_fast(session, GSASL_SCRAM_SALT);
    const char *count = gsasl_property_fast(session, GSASL_SCRAM_ITER);
    p3_gsasl *g = s->state;
    if (salt == NULL || count == NULL)
        return GSASL_NO_CALLBACK;
    if (!is_ascii(password)) {
        int rc = gsasl_saslprep(password, GSASL_ALLOW_UNASSIGNED, &prepared, NULL);
        if (rc != GSASL_OK) {
            g->failed = p3_sasl_complain(
                s, POP3_ERR_ARGUMENT, "the password has characters that SASLprep does not allow");
            return rc;
        }
        password = prepared;
    }
    pop3_status status = p3_scram_key(is_sha256(s->mechanism), password, salt, count, key);
    if (prepared != NULL)
        p3_wipe(prepared, strlen(prepared));
    gsasl_free(prepared);
    if (status != POP3_OK) {
        g->failed = p3_sasl_complain(s, status,
                                     "the server's salt or iteration count is not one "
                                     "to accept");
        return GSASL_AUTHENTICATION_ERROR;
    }
    gsasl_property_set(session, GSASL_SCRAM_SALTED_PASSWORD, key);
    p3_wipe(key, sizeof key);
    return GSASL_OK;
}

/* Only to a mechanism that is bound: GNU SASL 2.2 fails when others are offered a binding, so that
 * SCRAM's "y" flag, by which a server notices a stripped list (RFC 5802 §6), cannot be sent. */
static int give_binding(const p3_sasl *s, Gsasl_session *session, Gsasl_property property,
                        const char *name)
{
    const p3_sasl_identity *id = s->id;
    if (!p3_mechanism_about(s->mechanism)->bound || id->binding_name == NULL ||
        strcmp(id->binding_name, name) != 0)
        return GSASL_NO_CALLBACK;
    return give(session, property, id->binding);
}

static int provide(Gsasl *library, Gsasl_session *session, Gsasl_property property)
{
    if (session == NULL)
        return GSASL_NO_CALLBACK;
    p3_sasl *s = gsasl_callback_hook_get(library);
    switch (property) {
    case GSASL_AUTHID:
        return give(session, property, s->id->user);
    case GSASL_AUTHZID:
        return give(session, property, s->id->authzid);
    case GSASL_SERVICE:
        return give(session, property, "pop");
    case GSASL_HOSTNAME:
        return give(session, property, s->id->host);
    case GSASL_REALM:
        return give(session, property, s->id->realm);
    case GSASL_CB_TLS_UNIQUE:
        return give_binding(s, session, property, "tls-unique");
    case GSASL_CB_TLS_EXPORTER:
        return give_binding(s, session, property, "tls-exporter");
    case GSASL_SCRAM_SALTED_PASSWORD:
        return salted_password(s, session);
    case GSASL_PASSWORD:
        return is_scram(s->mechanism) ? GSASL_NO_CALLBACK : give(session, property, s->id->secret);
    default:
        return GSASL_NO_CALLBACK;
    }
}

/* What GNU SASL's error means for a login. */
static pop3_status from_gsasl(p3_sasl *s, int rc)
{
    p3_gsasl *g = s->state;
    if (g->failed != POP3_OK)
        return g->failed;
    switch (rc) {
    case GSASL_MALLOC_ERROR:
        return POP3_ERR_MEMORY;
    case GSASL_AUTHENTICATION_ERROR:
        return p3_sasl_complain(s, POP3_ERR_AUTHENTICATION,
                                "the server did not prove that it knows the password: it is not "
                                "the right one, or somebody stands in between");
    case GSASL_MECHANISM_PARSE_ERROR:
    case GSASL_MECHANISM_CALLED_TOO_MANY_TIMES:
        return p3_sasl_complain(s, POP3_ERR_AUTHENTICATION,
                                "the server's challenge is not one of this method");
    case GSASL_SASLPREP_ERROR:
        return p3_sasl_complain(s, POP3_ERR_ARGUMENT,
                                "the user's name has characters that SASLprep does not allow");
    default:
        return p3_sasl_complain(s, s->steps == 0 ? POP3_ERR_NOT_OFFERED : POP3_ERR_AUTHENTICATION,
                                gsasl_strerror(rc));
    }
}

/* SCRAM's last challenge may be an error in place of the proof (RFC 5802 §7). */
static bool take_scram_error(p3_sasl *s, pop3_str challenge)
{
    if (!is_scram(s->mechanism) || challenge.len < 3 || memcmp(challenge.data, "e=", 2) != 0)
        return false;
    char word[64];
    size_t n = challenge.len - 2 < sizeof word - 1 ? challenge.len - 2 : sizeof word - 1;
    for (size_t i = 0; i < n; i++) {
        char c = challenge.data[2 + i];
        word[i] = c > ' ' && c <= '~' ? c : '?';
    }
    word[n] = '\0';
    p3_sasl_complain(s, POP3_OK, word);
    return true;
}

static pop3_status step(p3_sasl *s, pop3_str challenge, p3_octets *response)
{
    p3_gsasl *g = s->state;
    char *out = NULL;
    size_t len = 0;
    if (s->steps == 0 && challenge.len > 0 && p3_mechanism_about(s->mechanism)->client_first)
        return p3_sasl_complain(s, POP3_ERR_AUTHENTICATION,
                                "the server sent a challenge before the method has one");
    if (s->steps > 0 && take_scram_error(s, challenge))
        return POP3_ERR_REFUSED;
    int rc = gsasl_step(g->session, challenge.data, challenge.len, &out, &len);
    if (rc != GSASL_OK && rc != GSASL_NEEDS_MORE)
        return from_gsasl(s, rc);
    s->complete = rc == GSASL_OK;
    bool ok = p3_octets_add(response, out, len);
    p3_wipe(out, len);
    gsasl_free(out);
    return ok ? POP3_OK : POP3_ERR_MEMORY;
}

static void finish(p3_sasl *s)
{
    static const Gsasl_property secrets[] = {
        GSASL_PASSWORD,      GSASL_SCRAM_SALTED_PASSWORD, GSASL_DIGEST_MD5_HASHED_PASSWORD,
        GSASL_CB_TLS_UNIQUE, GSASL_CB_TLS_EXPORTER,
    };
    p3_gsasl *g = s->state;
    if (g == NULL)
        return;
    for (size_t i = 0; g->session != NULL && i < sizeof secrets / sizeof secrets[0]; i++) {
        const char *value = gsasl_property_fast(g->session, secrets[i]);
        if (value != NULL) /* the session's own copy, on the heap */
            p3_wipe((void *)(uintptr_t)value, strlen(value));
    }
    if (g->session != NULL)
        gsasl_finish(g->session);
    if (g->library != NULL)
        gsasl_done(g->library);
    free(g);
}

pop3_status p3_gsasl_begin(p3_sasl *s)
{
    p3_gsasl *g = calloc(1, sizeof *g);
    if (g == NULL)
        return POP3_ERR_MEMORY;
    s->state = g;
    s->step = step;
    s->finish = finish;
    int rc = gsasl_init(&g->library);
    if (rc != GSASL_OK) {
        g->library = NULL;
        return rc == GSASL_MALLOC_ERROR ? POP3_ERR_MEMORY : POP3_ERR_NOT_OFFERED;
    }
    gsasl_callback_set(g->library, provide);
    gsasl_callback_hook_set(g->library, s);
    rc = gsasl_client_start(g->library, p3_mechanism_about(s->mechanism)->name, &g->session);
    if (rc != GSASL_OK) {
        g->session = NULL;
        return rc == GSASL_MALLOC_ERROR ? POP3_ERR_MEMORY : POP3_ERR_NOT_OFFERED;
    }
    return POP3_OK;
}

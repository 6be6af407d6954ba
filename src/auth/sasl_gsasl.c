/* SASL mechanisms through GNU SASL: DIGEST-MD5, GSSAPI, NTLM; and its SASLprep.
 *
 * The library does not wipe what it frees. We wipe the contents of a session before it is freed,
 * but DIGEST-MD5 and NTLM, which need the password itself, leave copies behind. */
#include "auth/sasl_gsasl.h"

#include "core/wipe.h"
#include "optional/library.h"

#include <gsasl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static struct {
    __typeof__(gsasl_callback_hook_get) *callback_hook_get;
    __typeof__(gsasl_callback_hook_set) *callback_hook_set;
    __typeof__(gsasl_callback_set) *callback_set;
    __typeof__(gsasl_client_start) *client_start;
    __typeof__(gsasl_client_support_p) *client_support_p;
    __typeof__(gsasl_done) *done;
    __typeof__(gsasl_finish) *finish;
    __typeof__(gsasl_free) *free;
    __typeof__(gsasl_init) *init;
    __typeof__(gsasl_property_fast) *property_fast;
    __typeof__(gsasl_property_set) *property_set;
    __typeof__(gsasl_saslprep) *saslprep;
    __typeof__(gsasl_step) *step;
    __typeof__(gsasl_strerror) *strerror;
} gsasl;

static const p3_symbol symbols[] = {
    {"gsasl_callback_hook_get", &gsasl.callback_hook_get},
    {"gsasl_callback_hook_set", &gsasl.callback_hook_set},
    {"gsasl_callback_set", &gsasl.callback_set},
    {"gsasl_client_start", &gsasl.client_start},
    {"gsasl_client_support_p", &gsasl.client_support_p},
    {"gsasl_done", &gsasl.done},
    {"gsasl_finish", &gsasl.finish},
    {"gsasl_free", &gsasl.free},
    {"gsasl_init", &gsasl.init},
    {"gsasl_property_fast", &gsasl.property_fast},
    {"gsasl_property_set", &gsasl.property_set},
    {"gsasl_saslprep", &gsasl.saslprep},
    {"gsasl_step", &gsasl.step},
    {"gsasl_strerror", &gsasl.strerror},
};

static p3_library library_file = P3_LIBRARY(P3_GSASL_SONAME, symbols);
P3_LIBRARY_NOTE(gsasl_note, "sasl", P3_GSASL_SONAME,
                "DIGEST-MD5, GSSAPI and NTLM; passwords beyond ASCII");

/* Octets of the longest name of an NTLM target: 256 letters in UTF-16. */
#define P3_NTLM_TARGET 512

typedef struct p3_gsasl {
    Gsasl *library;
    Gsasl_session *session;
} p3_gsasl;

bool p3_gsasl_has(p3_mechanism m)
{
    Gsasl *library;
    if (m != P3_MECH_DIGEST_MD5 && m != P3_MECH_GSSAPI && m != P3_MECH_NTLM)
        return false;
    if (!p3_library_load(&library_file) || gsasl.init(&library) != GSASL_OK)
        return false;
    bool has = gsasl.client_support_p(library, p3_mechanism_about(m)->name) != 0;
    gsasl.done(library);
    return has;
}

pop3_status p3_gsasl_prepare(p3_octets *out, const char *text)
{
    char *prepared = NULL;
    if (!p3_library_load(&library_file))
        return POP3_ERR_NOT_OFFERED;
    int rc = gsasl.saslprep(text, GSASL_ALLOW_UNASSIGNED, &prepared, NULL);
    if (rc != GSASL_OK)
        return rc == GSASL_MALLOC_ERROR ? POP3_ERR_MEMORY : POP3_ERR_ARGUMENT;
    bool ok = p3_octets_add_text(out, prepared);
    p3_wipe(prepared, strlen(prepared));
    gsasl.free(prepared);
    return ok ? POP3_OK : POP3_ERR_MEMORY;
}

static int give_property(Gsasl_session *session, Gsasl_property property, const char *value)
{
    if (value == NULL)
        return GSASL_NO_CALLBACK;
    gsasl.property_set(session, property, value);
    return GSASL_OK;
}

/* The authorization identity. A ticket has the user as user@REALM, which is rarely the mailbox's
 * name: as with EXTERNAL, the given name is requested. */
static const char *acting_identity(const p3_sasl *s)
{
    if (s->id->authzid == NULL && s->mechanism == P3_MECH_GSSAPI)
        return s->id->user;
    return s->id->authzid;
}

static int provide(Gsasl *library, Gsasl_session *session, Gsasl_property property)
{
    const p3_sasl *s = gsasl.callback_hook_get(library);
    switch (property) {
    case GSASL_AUTHID:
        return give_property(session, property, s->id->user);
    case GSASL_AUTHZID:
        return give_property(session, property, acting_identity(s));
    case GSASL_SERVICE:
        return give_property(session, property, "pop");
    case GSASL_HOSTNAME:
        return give_property(session, property, s->id->host);
    case GSASL_REALM:
        return give_property(session, property, s->id->realm);
    case GSASL_PASSWORD:
        return give_property(session, property, s->id->secret);
    default:
        return GSASL_NO_CALLBACK;
    }
}

/* The status for an error of GNU SASL. */
static pop3_status from_gsasl(p3_sasl *s, int rc)
{
    switch (rc) {
    case GSASL_MALLOC_ERROR:
        return POP3_ERR_MEMORY;
    case GSASL_AUTHENTICATION_ERROR:
        return p3_sasl_fail(s, POP3_ERR_AUTHENTICATION,
                            "the server did not prove that it knows the password: the password "
                            "is wrong, or an attacker answers");
    case GSASL_MECHANISM_PARSE_ERROR:
    case GSASL_MECHANISM_CALLED_TOO_MANY_TIMES:
        return p3_sasl_fail(s, POP3_ERR_AUTHENTICATION,
                            "the server's challenge is not one of this mechanism");
    default:
        return p3_sasl_fail(s, s->steps == 0 ? POP3_ERR_NOT_OFFERED : POP3_ERR_AUTHENTICATION,
                            gsasl.strerror(rc));
    }
}

static size_t little_endian(const char *at, size_t octets)
{
    size_t value = 0;
    while (octets-- > 0)
        value = value << 8 | (unsigned char)at[octets];
    return value;
}

/* Whether it is an NTLM challenge with its target name within it (MS-NLMP §2.2.1.2): the library
 * trusts the offsets in it, and would read wherever a server likes. */
static bool ntlm_challenge_ok(pop3_str c)
{
    if (c.len < 32 || memcmp(c.data, "NTLMSSP\0\2\0\0\0", 12) != 0)
        return false;
    size_t len = little_endian(c.data + 12, 2);
    size_t from = little_endian(c.data + 16, 4);
    return len <= P3_NTLM_TARGET && from <= c.len && len <= c.len - from;
}

static pop3_status step(p3_sasl *s, pop3_str challenge, p3_octets *response)
{
    p3_gsasl *g = s->state;
    char *out = NULL;
    size_t len = 0;
    if (s->steps == 0 && challenge.len > 0 &&
        p3_mechanism_is(p3_mechanism_about(s->mechanism), P3_IS_CLIENT_FIRST))
        return p3_sasl_out_of_turn(s);
    if (s->mechanism == P3_MECH_NTLM && s->steps > 0 && !ntlm_challenge_ok(challenge))
        return p3_sasl_fail(s, POP3_ERR_AUTHENTICATION,
                            "the server's challenge is not one of this mechanism");
    int rc = gsasl.step(g->session, challenge.data, challenge.len, &out, &len);
    if (rc != GSASL_OK && rc != GSASL_NEEDS_MORE)
        return from_gsasl(s, rc);
    s->complete = rc == GSASL_OK;
    bool ok = p3_octets_add(response, out, len);
    p3_wipe(out, len);
    gsasl.free(out);
    return ok ? POP3_OK : POP3_ERR_MEMORY;
}

static void finish(p3_sasl *s)
{
    p3_gsasl *g = s->state;
    const char *kept = g->session == NULL ? NULL : gsasl.property_fast(g->session, GSASL_PASSWORD);
    if (kept != NULL) /* the session's own copy, on the heap */
        p3_wipe((void *)(uintptr_t)kept, strlen(kept));
    if (g->session != NULL)
        gsasl.finish(g->session);
    if (g->library != NULL)
        gsasl.done(g->library);
    free(g);
}

pop3_status p3_gsasl_begin(p3_sasl *s)
{
    p3_gsasl *g;
    if (!p3_library_load(&library_file))
        return POP3_ERR_NOT_OFFERED;
    g = calloc(1, sizeof *g);
    if (g == NULL)
        return POP3_ERR_MEMORY;
    s->state = g;
    s->step = step;
    s->finish = finish;
    int rc = gsasl.init(&g->library);
    if (rc != GSASL_OK) {
        g->library = NULL; /* it has been unloaded */
    } else {
        gsasl.callback_set(g->library, provide);
        gsasl.callback_hook_set(g->library, s);
        rc = gsasl.client_start(g->library, p3_mechanism_about(s->mechanism)->name, &g->session);
        if (rc != GSASL_OK)
            g->session = NULL;
    }
    if (rc == GSASL_OK)
        return POP3_OK;
    return rc == GSASL_MALLOC_ERROR ? POP3_ERR_MEMORY : POP3_ERR_NOT_OFFERED;
}

/* The frame of SASL mechanisms: which there are, base64, and the state of an exchange. */
#include "auth/sasl.h"

#include "auth/digest.h"
#include "auth/sasl_gsasl.h"
#include "auth/sasl_mechanisms.h"
#include "core/base64.h"
#include "core/text.h"
#include "core/wipe.h"

#include <stdlib.h>

/* Our own mechanisms. */
static p3_sasl_step_fn own_step(p3_mechanism m)
{
    switch (m) {
    case P3_MECH_PLAIN:
        return p3_sasl_plain;
    case P3_MECH_LOGIN:
        return p3_sasl_login;
    case P3_MECH_EXTERNAL:
        return p3_sasl_external;
    case P3_MECH_CRAM_MD5:
        return p3_have_digests() ? p3_sasl_cram_md5 : NULL;
    case P3_MECH_SCRAM_SHA_256_PLUS:
    case P3_MECH_SCRAM_SHA_256:
    case P3_MECH_SCRAM_SHA_1_PLUS:
    case P3_MECH_SCRAM_SHA_1:
        return p3_have_digests() ? p3_sasl_scram : NULL;
    case P3_MECH_OAUTHBEARER:
        return p3_sasl_oauthbearer;
    case P3_MECH_XOAUTH2:
        return p3_sasl_xoauth2;
    default:
        return NULL;
    }
}

bool p3_sasl_built(p3_mechanism m)
{
    return own_step(m) != NULL || p3_gsasl_has(m);
}

pop3_status p3_sasl_new(p3_sasl **out, p3_mechanism m, const p3_sasl_identity *id)
{
    *out = NULL;
    p3_sasl *s = calloc(1, sizeof *s);
    if (s == NULL)
        return POP3_ERR_MEMORY;
    s->mechanism = m;
    s->id = id;
    s->step = own_step(m);
    pop3_status status = s->step != NULL ? POP3_OK : p3_gsasl_begin(s);
    if (status != POP3_OK) {
        p3_sasl_free(s);
        return status;
    }
    *out = s;
    return POP3_OK;
}

void p3_sasl_free(p3_sasl *s)
{
    if (s == NULL)
        return;
    if (s->finish != NULL)
        s->finish(s);
    p3_wipe_free(s, sizeof *s);
}

/* A mechanism's response, as it is sent; frees it. */
static pop3_status encode(pop3_status status, p3_octets *response, p3_octets *base64)
{
    if ((status == POP3_OK || status == POP3_ERR_REFUSED) &&
        !p3_base64_encode(base64, response->data, response->len))
        status = POP3_ERR_MEMORY;
    p3_octets_free(response);
    return status;
}

static pop3_status step_exchange(p3_sasl *s, pop3_str challenge, p3_octets *base64)
{
    p3_octets response;
    if (!p3_octets_init(&response, 256))
        return POP3_ERR_MEMORY;
    pop3_status status = s->step(s, challenge, &response);
    s->steps++;
    return encode(status, &response, base64);
}

pop3_status p3_sasl_go_on(p3_sasl *s, p3_octets *base64)
{
    p3_octets response;
    if (!p3_octets_init(&response, 256))
        return POP3_ERR_MEMORY;
    pop3_status status = s->go_on(s, &response);
    return encode(status, &response, base64);
}

pop3_status p3_sasl_initial(p3_sasl *s, p3_octets *base64)
{
    pop3_status status = step_exchange(s, p3_span("", 0), base64);
    if (status == POP3_OK && base64->len == 0 && !p3_octets_add_text(base64, "="))
        return POP3_ERR_MEMORY;
    return status;
}

bool p3_sasl_is_prompt(const p3_sasl *s, pop3_str challenge)
{
    const p3_mechanism_info *about = p3_mechanism_about(s->mechanism);
    bool token = about->need == P3_NEED_TOKEN;
    if (s->mechanism == P3_MECH_LOGIN || s->mechanism == P3_MECH_PLAIN ||
        s->mechanism == P3_MECH_EXTERNAL || (token && s->steps == 0))
        return true;
    if (!token || challenge.len == 0)
        return p3_mechanism_is(about, P3_IS_CLIENT_FIRST) && challenge.len == 0;
    /* The only challenge of a token's mechanism reports a failure, in JSON. */
    p3_octets decoded;
    pop3_status status = p3_octets_init(&decoded, challenge.len)
                             ? p3_base64_decode(&decoded, challenge)
                             : POP3_ERR_MEMORY;
    bool reports = status == POP3_ERR_MEMORY || /* answering it will reveal that */
                   (status == POP3_OK && decoded.len > 0 && decoded.data[0] == '{');
    p3_octets_free(&decoded);
    return !reports;
}

pop3_status p3_sasl_answer(p3_sasl *s, pop3_str challenge, p3_octets *base64)
{
    p3_octets decoded;
    bool asks = s->mechanism == P3_MECH_LOGIN ? s->steps < 2 : s->steps == 0;
    if (asks && p3_sasl_is_prompt(s, challenge))
        challenge = p3_span("", 0);
    if (!p3_octets_init(&decoded, challenge.len))
        return POP3_ERR_MEMORY;
    pop3_status status = p3_base64_decode(&decoded, challenge);
    if (status == POP3_OK)
        status = step_exchange(s, p3_span(decoded.data, decoded.len), base64);
    else if (status == POP3_ERR_PROTOCOL)
        status = p3_sasl_fail(s, POP3_ERR_AUTHENTICATION, "the challenge is not base64");
    p3_octets_free(&decoded);
    return status;
}

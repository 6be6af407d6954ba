/* The SASL mechanisms with an OAuth 2.0 token: OAUTHBEARER (RFC 7628) and the older XOAUTH2. Both
 * report a failure in a challenge, which must be answered before -ERR arrives. */
#include "auth/sasl_mechanisms.h"

#include "auth/oauth_error.h"
#include "auth/saslname.h"
#include "core/text.h"

#include <string.h>

/* Whether the messages can contain the token: RFC 6750 §2.1 permits only visible ASCII. Otherwise
 * the control octet between the fields could be injected. */
static bool token_ok(const char *token)
{
    if (token[0] == '\0')
        return false;
    for (; *token != '\0'; token++) {
        if (*token <= ' ' || *token > '~')
            return false;
    }
    return true;
}

/* n,a=user,^Ahost=server^Aport=143^A (RFC 7628 §3.1 and §4.1) */
static bool add_bearer_user(p3_octets *out, const p3_sasl_identity *id, const char *user)
{
    char port[24];
    port[p3_put_number(port, id->port)] = '\0';
    return p3_octets_add_text(out, "n,a=") && p3_add_saslname(out, user) &&
           p3_octets_add_texts(out, ",\x01host=", id->host, "\x01port=", port, "\x01", NULL);
}

/* user=name^A */
static bool add_xoauth2_user(p3_octets *out, const p3_sasl_identity *id, const char *user)
{
    (void)id;
    return p3_octets_add_texts(out, "user=", user, "\x01", NULL);
}

/* Shared by the mechanisms: the user, then auth=Bearer token^A^A; a failure that the server reports
 * is stored for people, and answered so that the server continues. */
static pop3_status step_bearer(p3_sasl *s, pop3_str challenge, p3_octets *response,
                               bool (*add_user)(p3_octets *, const p3_sasl_identity *,
                                                const char *),
                               const char *answer)
{
    const p3_sasl_identity *id = s->id;
    if (s->steps > 1)
        return p3_sasl_out_of_turn(s);
    if (s->steps == 1) {
        p3_oauth_error(challenge, s->complaint, sizeof s->complaint);
        s->complete = false;
        return p3_octets_add_text(response, answer) ? POP3_ERR_REFUSED : POP3_ERR_MEMORY;
    }
    if (!token_ok(id->secret))
        return p3_sasl_fail(s, POP3_ERR_ARGUMENT,
                            "the token is empty or holds something else than visible ASCII");
    bool ok = add_user(response, id, id->authzid != NULL ? id->authzid : id->user) &&
              p3_octets_add_texts(response, "auth=Bearer ", id->secret, "\x01\x01", NULL);
    s->complete = true;
    return ok ? POP3_OK : POP3_ERR_MEMORY;
}

pop3_status p3_sasl_oauthbearer(p3_sasl *s, pop3_str challenge, p3_octets *response)
{
    return step_bearer(s, challenge, response, add_bearer_user, "\x01");
}

pop3_status p3_sasl_xoauth2(p3_sasl *s, pop3_str challenge, p3_octets *response)
{
    return step_bearer(s, challenge, response, add_xoauth2_user, "");
}

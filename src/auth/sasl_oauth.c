/* The SASL mechanisms that carry an OAuth 2.0 token: OAUTHBEARER (RFC 7628), and its forerunner
 * XOAUTH2. Both report a failure in a challenge, which must be answered before -ERR comes. */
#include "auth/sasl.h"

#include "auth/oauth_error.h"
#include "core/text.h"

#include <string.h>

/* A token that the messages can carry: RFC 6750 §2.1 has only visible ASCII. The control octet
 * between the fields could otherwise be smuggled in. */
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

/* The server's report of a failure: remembered for people, and answered with what lets it go on. */
static pop3_status take_report(p3_sasl *s, pop3_str report, const char *answer, p3_octets *response)
{
    p3_oauth_error(report, s->complaint, sizeof s->complaint);
    s->complete = false;
    return p3_octets_add_text(response, answer) ? POP3_ERR_REFUSED : POP3_ERR_MEMORY;
}

static pop3_status check_turn(p3_sasl *s)
{
    if (s->steps > 1)
        return p3_sasl_complain(s, POP3_ERR_AUTHENTICATION,
                                "the server sent a challenge that the method does not have");
    if (!token_ok(s->id->secret))
        return p3_sasl_complain(s, POP3_ERR_ARGUMENT,
                                "the token is empty or holds something else than visible ASCII");
    return POP3_OK;
}

/* A saslname: "," and "=" are written as =2C and =3D (RFC 5801 §4). */
static bool add_name(p3_octets *out, const char *name)
{
    bool ok = true;
    for (; ok && *name != '\0'; name++) {
        if (*name == ',')
            ok = p3_octets_add_text(out, "=2C");
        else if (*name == '=')
            ok = p3_octets_add_text(out, "=3D");
        else
            ok = p3_octets_add(out, name, 1);
    }
    return ok;
}

/* n,a=user,^Ahost=server^Aport=143^Aauth=Bearer token^A^A (RFC 7628 §3.1 and §4.1) */
pop3_status p3_sasl_oauthbearer(p3_sasl *s, pop3_str challenge, p3_octets *response)
{
    const p3_sasl_identity *id = s->id;
    pop3_status status = check_turn(s);
    if (status != POP3_OK)
        return status;
    if (s->steps == 1)
        return take_report(s, challenge, "\x01", response);
    char port[24];
    port[p3_put_number(port, id->port)] = '\0';
    bool ok = p3_octets_add_text(response, "n,a=") &&
              add_name(response, id->authzid != NULL ? id->authzid : id->user) &&
              p3_octets_add_text(response, ",\x01host=") &&
              p3_octets_add_text(response, id->host) && p3_octets_add_text(response, "\x01port=") &&
              p3_octets_add_text(response, port) &&
              p3_octets_add_text(response, "\x01"
                                           "auth=Bearer ") &&
              p3_octets_add_text(response, id->secret) && p3_octets_add_text(response, "\x01\x01");
    s->complete = true;
    return ok ? POP3_OK : POP3_ERR_MEMORY;
}

/* user=name^Aauth=Bearer token^A^A */
pop3_status p3_sasl_xoauth2(p3_sasl *s, pop3_str challenge, p3_octets *response)
{
    const p3_sasl_identity *id = s->id;
    pop3_status status = check_turn(s);
    if (status != POP3_OK)
        return status;
    if (s->steps == 1)
        return take_report(s, challenge, "", response);
    bool ok = p3_octets_add_text(response, "user=") &&
              p3_octets_add_text(response, id->authzid != NULL ? id->authzid : id->user) &&
              p3_octets_add_text(response, "\x01"
                                           "auth=Bearer ") &&
              p3_octets_add_text(response, id->secret) && p3_octets_add_text(response, "\x01\x01");
    s->complete = true;
    return ok ? POP3_OK : POP3_ERR_MEMORY;
}

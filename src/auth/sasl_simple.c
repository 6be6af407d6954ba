/* SASL mechanisms with little or no computation: PLAIN, LOGIN, EXTERNAL, CRAM-MD5. */
#include "auth/sasl_mechanisms.h"

#include "auth/digest.h"
#include "core/text.h"
#include "core/wipe.h"

#include <string.h>

/* RFC 4616: authorization identity, NUL, name, NUL, password. */
pop3_status p3_sasl_plain(p3_sasl *s, pop3_str challenge, p3_octets *response)
{
    const p3_sasl_identity *id = s->id;
    if (s->steps > 0 || challenge.len > 0)
        return p3_sasl_out_of_turn(s);
    bool ok = (id->authzid == NULL || p3_octets_add_text(response, id->authzid)) &&
              p3_octets_add(response, "", 1) && p3_octets_add_text(response, id->user) &&
              p3_octets_add(response, "", 1) && p3_octets_add_text(response, id->secret);
    s->complete = true;
    return ok ? POP3_OK : POP3_ERR_MEMORY;
}

/* Never standardized: two prompts, whose texts differ between servers. */
pop3_status p3_sasl_login(p3_sasl *s, pop3_str challenge, p3_octets *response)
{
    (void)challenge;
    if (s->steps > 1)
        return p3_sasl_out_of_turn(s);
    s->complete = s->steps == 1;
    const char *answer = s->steps == 0 ? s->id->user : s->id->secret;
    return p3_octets_add_text(response, answer) ? POP3_OK : POP3_ERR_MEMORY;
}

/* RFC 4422 appendix A: the authorization identity, or nothing if the certificate names the user. */
pop3_status p3_sasl_external(p3_sasl *s, pop3_str challenge, p3_octets *response)
{
    const p3_sasl_identity *id = s->id;
    if (s->steps > 0 || challenge.len > 0)
        return p3_sasl_out_of_turn(s);
    const char *whom = id->authzid != NULL ? id->authzid : id->user;
    s->complete = true;
    return whom == NULL || p3_octets_add_text(response, whom) ? POP3_OK : POP3_ERR_MEMORY;
}

/* RFC 2195 §2: name, blank, HMAC-MD5 of the challenge keyed by the password, in hexadecimal. */
pop3_status p3_sasl_cram_md5(p3_sasl *s, pop3_str challenge, p3_octets *response)
{
    unsigned char digest[16];
    char hex[2 * sizeof digest + 1];
    const char *secret = s->id->secret;
    if (s->steps > 0 || challenge.len == 0)
        return p3_sasl_out_of_turn(s);
    if (!p3_digest_hmac(P3_MD5, p3_span(secret, strlen(secret)), challenge, digest))
        return p3_sasl_fail(s, POP3_ERR_NOT_OFFERED, "there is no MD5 here");
    p3_put_hex(hex, digest, sizeof digest);
    hex[sizeof hex - 1] = '\0';
    bool ok = p3_octets_add_texts(response, s->id->user, " ", hex, NULL);
    p3_wipe(digest, sizeof digest);
    p3_wipe(hex, sizeof hex);
    s->complete = true;
    return ok ? POP3_OK : POP3_ERR_MEMORY;
}

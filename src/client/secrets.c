/* The password and the token of a login. */
#include "client/secrets.h"

#include "core/text.h"

#include <string.h>

/* Octets of a secret from the callback: what fits into an AUTH response of 65,536 octets in base64.
 */
#define P3_MAX_SECRET 49152

bool p3_secret_ok(pop3_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '\r' || s.data[i] == '\n' || s.data[i] == '\0')
            return false;
    }
    return s.len <= P3_MAX_SECRET && p3_is_utf8(s);
}

bool p3_secrets_init(p3_secrets *s, const pop3_login_options *o)
{
    *s = (p3_secrets){.ask = o->secret, .ctx = o->secret_ctx};
    return (o->password == NULL || p3_octets_add_text(&s->of[POP3_SECRET_PASSWORD], o->password)) &&
           (o->token == NULL || p3_octets_add_text(&s->of[POP3_SECRET_TOKEN], o->token));
}

void p3_secrets_free(p3_secrets *s)
{
    p3_octets_free(&s->of[POP3_SECRET_PASSWORD]);
    p3_octets_free(&s->of[POP3_SECRET_TOKEN]);
}

bool p3_secrets_may_have(const p3_secrets *s, pop3_secret_kind kind)
{
    bool asks = s->ask != NULL && s->of[POP3_SECRET_PASSWORD].data == NULL &&
                s->of[POP3_SECRET_TOKEN].data == NULL;
    return s->of[kind].data != NULL || (asks && !s->lacking[kind]);
}

/* Calls the callback. */
static pop3_status ask_callback(p3_secrets *s, pop3_secret_kind kind, const char *user)
{
    p3_octets *secret = &s->of[kind];
    size_t len = 0;
    pop3_status status = s->ask(s->ctx, kind, user, secret->data, P3_MAX_SECRET, &len);
    if (status == POP3_ERR_NOT_OFFERED || status == POP3_ERR_ARGUMENT)
        return status;
    if (status != POP3_OK)
        return POP3_ERR_CANCELLED;
    if (len > P3_MAX_SECRET)
        return POP3_ERR_ARGUMENT;
    secret->len = len;
    secret->data[len] = '\0';
    return p3_secret_ok(p3_span(secret->data, len)) ? POP3_OK : POP3_ERR_ARGUMENT;
}

pop3_status p3_secrets_fetch(p3_secrets *s, pop3_secret_kind kind, const char *user)
{
    p3_octets *secret = &s->of[kind];
    if (secret->data != NULL)
        return POP3_OK;
    if (s->ask == NULL || s->asked[kind])
        return POP3_ERR_ARGUMENT;
    s->asked[kind] = true;
    if (!p3_octets_init(secret, P3_MAX_SECRET))
        return POP3_ERR_MEMORY;
    pop3_status status = ask_callback(s, kind, user);
    if (status != POP3_OK)
        p3_octets_free(secret);
    s->lacking[kind] = status == POP3_ERR_NOT_OFFERED;
    return status;
}

pop3_str p3_secret_of(const p3_secrets *s, pop3_secret_kind kind)
{
    const p3_octets *secret = &s->of[kind];
    return secret->data != NULL ? p3_span(secret->data, secret->len) : p3_span("", 0);
}

pop3_str p3_secrets_public_part(const p3_secrets *s, pop3_str text)
{
    for (int kind = POP3_SECRET_PASSWORD; kind <= POP3_SECRET_TOKEN; kind++) {
        const p3_octets *secret = &s->of[kind];
        size_t echo =
            p3_find_echo(text, p3_span(secret->data, secret->len), kind == POP3_SECRET_PASSWORD);
        if (echo < text.len)
            text.len = echo;
    }
    return text;
}

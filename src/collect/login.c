/* Logs in without blocking, by the strongest mechanism that both sides support. */
#include "collect/login.h"

void p3_login_options_for(const p3_account *account, const p3_secret *secret,
                          pop3_login_options *out)
{
    *out = (pop3_login_options)POP3_LOGIN_OPTIONS_INIT;
    out->user = account->user;
    out->mechanism = account->mechanism;
    out->channel_binding = account->channel_binding;
    out->allow_plaintext = account->connection.allow_plaintext_password;
    out->utf8 = account->utf8;
    if (secret->is_token)
        out->token = secret->text;
    else
        out->password = secret->text;
}

pop3_status p3_log_in(pop3_client *client, const p3_account *account, const p3_secret *secret,
                      const char *mechanism, const pop3_handlers *handlers)
{
    pop3_login_options o;
    p3_login_options_for(account, secret, &o);
    if (mechanism != NULL)
        o.mechanism = mechanism;
    o.pipeline = o.mechanism == NULL; /* a named mechanism would need CAPA for that */
    return pop3_login_start(client, &o, handlers);
}

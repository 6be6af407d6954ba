/* Logs in without blocking, by the strongest method that both sides know. */
#include "sync/login.h"

pop3_status p3_log_in(pop3_client *client, const p3_account *account, const p3_secret *secret,
                      const pop3_handlers *handlers)
{
    pop3_login_options o = POP3_LOGIN_OPTIONS_INIT;
    o.user = account->user;
    o.mechanism = account->mechanism;
    o.allow_plaintext = account->connection.allow_plaintext_password;
    if (secret->is_token)
        o.token = secret->text;
    else
        o.password = secret->text;
    return pop3_login_start(client, &o, handlers);
}

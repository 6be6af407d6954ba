/* How an account logs in. */
#ifndef P3_COLLECT_LOGIN_H
#define P3_COLLECT_LOGIN_H

#include <pop3/login.h>

#include "collect/account.h"

/* What the library is to be told. The strings are the account's and the secret's. */
void p3_login_options_for(const p3_account *account, const p3_secret *secret,
                          pop3_login_options *out);

/* Begins to log in on a client that may still be connecting, with USER and PASS in one window where
 * the client pipelines; done() of the handlers is told the end. The secret must live until then.
 * `mechanism`: what has worked before, where no CAPA is to be sent; else NULL. */
pop3_status p3_log_in(pop3_client *client, const p3_account *account, const p3_secret *secret,
                      const char *mechanism, const pop3_handlers *handlers);

#endif

/* Logging in to an account. */
#ifndef P3_COLLECT_LOGIN_H
#define P3_COLLECT_LOGIN_H

#include <pop3/login.h>

#include "collect/account.h"

/* Sets the options of the library's login. The strings belong to the account and the secret. */
void p3_login_options_for(const p3_account *account, const p3_secret *secret,
                          pop3_login_options *out);

/* Begins to log in with a client that may still be connecting, with USER and PASS in one window if
 * the client pipelines. done() of the handlers is called at the end; the secret must exist until
 * then. `mechanism`: the one that worked before, if no CAPA is to be sent; else NULL. */
pop3_status p3_log_in(pop3_client *client, const p3_account *account, const p3_secret *secret,
                      const char *mechanism, const pop3_handlers *handlers);

#endif

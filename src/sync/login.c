/* Logs in without blocking. */
#include "sync/login.h"

#include <string.h>

pop3_status p3_login_begin(pop3_client *client, const p3_account *account, const p3_secret *secret,
                           const pop3_handlers *handlers)
{
    pop3_command user = POP3_COMMAND_INIT;
    user.kind = POP3_CMD_USER;
    user.text = (pop3_str){account->user, account->user != NULL ? strlen(account->user) : 0};
    pop3_command pass = POP3_COMMAND_INIT;
    pass.kind = POP3_CMD_PASS;
    pass.text = (pop3_str){secret->text, secret->len};
    pop3_status status = pop3_client_submit(client, &user, NULL);
    return status == POP3_OK ? pop3_client_submit(client, &pass, handlers) : status;
}

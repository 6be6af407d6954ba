/* pop3 token: prints an access token for other programs. */
#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "cli/chosen_accounts.h"
#include "cli/oauth.h"
#include "cli/output.h"
#include "system/erase.h"

int p3_cmd_token(p3_arguments *a)
{
    p3_problem why = {0};
    p3_secret secret = {0};
    p3_chosen chosen = {0};
    int status = EX_OK;
    bool ok = p3_chosen_read_for_tokens(&chosen, a, "token", &why);
    const p3_local_account *account = ok ? &chosen.at[0] : NULL;
    const p3_secret_source *source =
        ok ? p3_chosen_tokens(account, a, "finding the token", &why) : NULL;
    ok = source != NULL && p3_oauth_find(source, &secret, &why);
    if (!ok)
        status = p3_print_problem(account != NULL ? account->account.name : NULL, &why);
    else if (!p3_print(stdout, "%s\n", secret.text))
        status = EX_IOERR;
    if (secret.text != NULL)
        p3_erase(secret.text, secret.len);
    free(secret.text);
    p3_chosen_free(&chosen);
    return status;
}

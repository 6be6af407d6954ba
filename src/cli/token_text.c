/* Texts about an account's tokens. */
#include "cli/token_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/oauth.h"
#include "web/form.h"

char *p3_token_url(const p3_account *a)
{
    const pop3_client_options *o = &a->connection;
    char *user = p3_form_encode_text(a->user != NULL ? a->user : "");
    char *url = NULL;
    char port[16] = "";
    bool v6 = o->host != NULL && strchr(o->host, ':') != NULL;
    if (o->port != 0)
        snprintf(port, sizeof port, ":%u", o->port);
    if (user == NULL ||
        asprintf(&url, "%s://%s@%s%s%s%s/", o->security == POP3_SECURITY_TLS ? "pop3s" : "pop3",
                 user, v6 ? "'[" : "", o->host != NULL ? o->host : "", v6 ? "]'" : "", port) < 0)
        url = NULL;
    free(user);
    return url;
}

bool p3_token_words_set(p3_account *account, const p3_settings *s, const char *word, char **made)
{
    const p3_provider *known = p3_provider_of_host(account->connection.host);
    p3_token_hint hint = {.advice = "run: pop3 authorize ",
                          .word = word,
                          .more = "",
                          .server_takes = known != NULL ? known->takes : NULL};
    int n = 0;
    *made = NULL;
    if (s->token_command != NULL && !p3_oauth_is_set(s)) {
        hint.advice = NULL;
    } else if (!p3_oauth_is_set(s) && s->name == NULL) {
        if (known != NULL)
            n = asprintf(made, " --provider=%s --client-id=ID", known->name);
        hint.more = known != NULL ? *made : " --issuer=URL --client-id=ID";
    } else if (!p3_oauth_is_set(s)) {
        if (known != NULL)
            n = asprintf(made, "set provider = %s and client-id, then run: pop3 authorize ",
                         known->name);
        hint.advice = known != NULL ? *made
                                    : "set provider, or issuer, and client-id, then run: pop3 "
                                      "authorize ";
    }
    if (n < 0)
        *made = NULL;
    else
        account->tokens = hint;
    return n >= 0;
}

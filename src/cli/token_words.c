/* What is said about an account's tokens. */
#include "cli/token_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/oauth.h"
#include "web/form.h"

/* The account as a URL that a shell takes as it is. */
static char *url_of(const p3_account *a)
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

char *p3_token_word(const p3_account *a, const p3_settings *s)
{
    return s->name != NULL ? strdup(s->name) : url_of(a);
}

char *p3_token_words_set(p3_account *account, const p3_settings *s, const char *word)
{
    const p3_provider *known = p3_provider_of_host(account->connection.host);
    const char *name = known != NULL ? known->name : NULL;
    char *advice = NULL;
    int n;
    account->tokens = (p3_token_hint){0};
    if (p3_oauth_is_set(s))
        n = asprintf(&advice, "run: pop3 authorize %s", word);
    else if (s->name == NULL)
        n = asprintf(&advice, "run: pop3 authorize %s --%s%s --client-id=ID", word,
                     known != NULL ? "provider=" : "issuer=", known != NULL ? name : "URL");
    else
        n = asprintf(&advice, "set %s%s and client-id, then run: pop3 authorize %s",
                     known != NULL ? "provider = " : "provider, or issuer,",
                     known != NULL ? name : "", word);
    if (n < 0)
        return NULL;
    account->tokens.advice = s->token_command == NULL || p3_oauth_is_set(s) ? advice : NULL;
    account->tokens.server_takes = known != NULL ? known->takes : NULL;
    return advice;
}

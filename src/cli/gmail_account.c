/* An account's settings for delivery to Gmail. */
#include "cli/gmail_account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/oauth.h"
#include "cli/secret.h"

static const char google[] = "https://gmail.googleapis.com";

/* A find_token of the options. */
static bool find_token(void *ctx, char **token, p3_problem *why)
{
    p3_secret secret = {
        .text = *token, .len = *token != NULL ? strlen(*token) : 0, .is_token = true};
    bool ok = p3_secret_find(ctx, &secret, why);
    *token = secret.text;
    return ok;
}

/* Finds the hosts to connect to. */
static void find_dialed(const p3_settings *s, const p3_server_address *server,
                        p3_server_address out[2])
{
    char *proxy = s->proxy.kind == POP3_PROXY_NONE ? p3_http_environment_proxy() : NULL;
    out[0] = *server;
    if (s->proxy.kind != POP3_PROXY_NONE) {
        out[0] = (p3_server_address){.port = s->proxy.port};
        snprintf(out[0].host, sizeof out[0].host, "%s", s->proxy.host);
    } else if (proxy != NULL && (!p3_server_address_read(&out[1], proxy) || out[1].path != NULL)) {
        out[1] = (p3_server_address){0}; /* libcurl reports what is wrong with it */
    }
    free(proxy);
}

p3_gmail_account *p3_gmail_account_new(const p3_settings *s, const char *word, p3_problem *why)
{
    const char *url = s->gmail_url != NULL ? s->gmail_url : google;
    p3_server_address server;
    if (!p3_gmail_url_read(&server, url)) {
        p3_problem_set(why, EX_CONFIG,
                       "\"%s\" cannot be used as gmail-url; expected: https://HOST[:PORT]", url);
        return NULL;
    }
    if (s->gmail_client_id == NULL && s->gmail_token_command == NULL) {
        p3_problem_set(why, EX_CONFIG,
                       "gmail needs a client: set gmail-client-id, and "
                       "gmail-client-secret-file");
        return NULL;
    }
    p3_gmail_account *g = calloc(1, sizeof *g);
    if (g == NULL ||
        !p3_target_secret_make(&g->secret, s, &s->gmail, word, s->gmail.where, &server) ||
        !p3_oauth_proxy(s, &g->proxy)) {
        p3_gmail_account_free(g);
        p3_problem_memory(why);
        return NULL;
    }
    g->options = (p3_gmail_options){.url = url,
                                    .labels = s->labels,
                                    .unread = s->unread,
                                    .never_spam = s->never_spam,
                                    .calendar = s->process_calendar,
                                    .date = s->internal_date == P3_IMAP_NOW ? P3_GMAIL_DATE_NOW
                                                                            : P3_GMAIL_DATE_HEADER,
                                    .way = {.ca_file = s->issuer_ca_file,
                                            .proxy = g->proxy,
                                            .proxy_user = s->proxy_user,
                                            .proxy_password = s->proxy_password},
                                    .find_token = find_token,
                                    .token_ctx = &g->secret.source,
                                    .renewal = g->secret.renewal};
    find_dialed(s, &server, g->options.dialed);
    return g;
}

void p3_gmail_account_free(p3_gmail_account *g)
{
    if (g == NULL)
        return;
    p3_target_secret_free(&g->secret);
    free(g->proxy);
    free(g);
}

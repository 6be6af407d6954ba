/* What an account's settings say about the server that its mail is sent to. */
#include "cli/server_account.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/secret.h"

/* The function for a secret in the options. */
static bool find_secret(void *source, p3_server_secret *out, p3_problem *why)
{
    p3_secret secret = {.text = out->text,
                        .len = out->text != NULL ? strlen(out->text) : 0,
                        .is_token = out->is_token};
    bool ok = p3_secret_find(source, &secret, why);
    *out = (p3_server_secret){.text = secret.text, .is_token = secret.is_token};
    return ok;
}

/* Where the secret comes from. The account's own are the POP3 server's, but for netrc, which tells
 * servers apart. */
static p3_settings secret_settings(const p3_settings *s)
{
    static const p3_loan of_imap[] = {
        {P3_SETTING_PASSWORD_FILE, P3_SETTING_IMAP_PASSWORD_FILE},
        {P3_SETTING_PASSWORD_COMMAND, P3_SETTING_IMAP_PASSWORD_COMMAND},
        {P3_SETTING_TOKEN_COMMAND, P3_SETTING_IMAP_TOKEN_COMMAND},
        {P3_SETTING_NETRC, P3_SETTING_NETRC}};
    static const p3_loan of_smtp[] = {
        {P3_SETTING_PASSWORD_FILE, P3_SETTING_SMTP_PASSWORD_FILE},
        {P3_SETTING_PASSWORD_COMMAND, P3_SETTING_SMTP_PASSWORD_COMMAND},
        {P3_SETTING_TOKEN_COMMAND, P3_SETTING_SMTP_TOKEN_COMMAND},
        {P3_SETTING_NETRC, P3_SETTING_NETRC}};
    p3_settings t = {.name = s->name};
    p3_settings_lend(&t, s, s->target.kind == P3_TARGET_SMTP ? of_smtp : of_imap,
                     sizeof of_imap / sizeof *of_imap);
    return t;
}

/* Makes what the secret is found by. */
static bool make_secret(p3_server_account *m, const p3_settings *s)
{
    p3_settings secret = secret_settings(s);
    p3_server_url url;
    if (!p3_target_row_of(s->target.kind)->server(&url, s->target.where)) /* it was read before */
        return false;
    m->settings = p3_settings_pack(&secret);
    m->host = strdup(url.server.host);
    m->user = strdup(url.user);
    if (m->settings == NULL || m->host == NULL || m->user == NULL)
        return false;
    m->holder = (p3_account){
        .name = s->target.where, .key = "", .connection = {.host = m->host}, .user = m->user};
    m->secret = (p3_secret_source){.account = &m->holder,
                                   .settings = m->settings,
                                   .prefix = s->target.kind == P3_TARGET_SMTP ? "smtp-" : "imap-"};
    return true;
}

p3_server_account *p3_server_account_new(const p3_settings *s, p3_problem *why)
{
    p3_server_account *m = calloc(1, sizeof *m);
    bool is_smtp = s->target.kind == P3_TARGET_SMTP;
    if (m == NULL || !make_secret(m, s)) {
        p3_server_account_free(m);
        p3_problem_set(why, EX_OSERR, "out of memory");
        return NULL;
    }
    m->options = (p3_server_options){.ca_file = is_smtp ? s->smtp_ca_file : s->imap_ca_file,
                                     .allow_plaintext = is_smtp ? s->smtp_allow_plaintext
                                                                : s->imap_allow_plaintext,
                                     .secret = find_secret,
                                     .secret_ctx = &m->secret};
    m->imap = (p3_imap_options){
        .server = m->options, .flags = s->flags, .date = (p3_imap_date)s->internal_date};
    return m;
}

void p3_server_account_free(p3_server_account *m)
{
    if (m == NULL)
        return;
    p3_packed_settings_drop(m->settings);
    free(m->host);
    free(m->user);
    free(m);
}

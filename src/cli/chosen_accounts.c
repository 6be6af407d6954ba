/* The accounts of a command line. */
#include "cli/chosen_accounts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/oauth.h"
#include "cli/output.h"
#include "support/printable.h"

/* Prints the trace to standard error, without control characters. */
static void show_trace(void *ctx, pop3_trace_kind kind, const char *data, size_t len)
{
    const p3_local_account *a = ctx;
    const char *mark = kind == POP3_TRACE_SENT ? "C:" : kind == POP3_TRACE_NOTE ? "--" : "S:";
    char *clean = p3_line_clean(data, len);
    p3_print(stderr, "%s %s %s\n", a->account.name, mark, clean != NULL ? clean : "");
    free(clean);
}

static bool check_password(const p3_settings *on_command_line, p3_problem *why)
{
    return on_command_line->url.password == NULL ||
           p3_problem_set(why, EX_USAGE,
                          "the URL would show the password to all users of this machine; use "
                          "--password-file or --password-command");
}

/* Options of the command line, then settings of the configuration. */
static bool settings_of_url(p3_settings *s, const p3_arguments *a, const char *url, p3_problem *why)
{
    return (p3_settings_inherit(s, &a->settings) || p3_problem_memory(why)) &&
           p3_setting_set(s, NULL, p3_setting_find("url", P3_PLACE_COMMAND), url, why) &&
           check_password(s, why);
}

/* The same for an account of the configuration, which may be named more than once. */
static bool settings_of_word(p3_settings *s, const p3_arguments *a, const p3_settings *from,
                             p3_problem *why)
{
    s->name = strdup(from->name);
    return ((s->name != NULL && p3_settings_inherit(s, &a->settings) &&
             p3_settings_inherit(s, from)) ||
            p3_problem_memory(why)) &&
           check_password(&a->settings, why);
}

/* Creates an account from settings, which it takes over. */
static bool add_account(p3_chosen *c, p3_arguments *a, p3_settings *s, bool deliver,
                        p3_problem *why)
{
    p3_local_account *to = &c->at[c->count++];
    bool named = s->name != NULL;
    bool made = p3_local_account_make(to, s, &c->tls, deliver, why);
    if (a->run.trace) {
        to->account.connection.engine.trace = show_trace;
        to->account.connection.engine.trace_ctx = to;
        to->account.connection.engine.trace_level = 1;
    }
    if (made)
        return true;
    to->unusable = malloc(sizeof *to->unusable);
    if (to->unusable == NULL)
        return p3_problem_memory(why);
    *to->unusable = *why;
    to->account.unusable = to->unusable;
    return deliver && named; /* the error of one account does not affect the others */
}

/* Reads the configuration; options for the run take precedence over it. */
static bool read_config(p3_chosen *c, p3_arguments *a, p3_problem *why)
{
    if (!p3_config_read(&c->config, a->run.config, true, p3_print_problem_in_file, why))
        return false;
    return p3_run_settings_inherit(&a->run, &c->config.run) || p3_problem_memory(why);
}

static bool add_word(p3_chosen *c, p3_arguments *a, const char *word, bool deliver, p3_problem *why)
{
    p3_settings s = {0};
    const p3_settings *from = NULL;
    bool ok = true;
    if (p3_is_url(word)) {
        ok = settings_of_url(&s, a, word, why);
    } else {
        ok = c->config.path != NULL || read_config(c, a, why);
        from = ok ? p3_config_find(&c->config, word, why) : NULL;
        ok = from != NULL && settings_of_word(&s, a, from, why);
    }
    ok = ok && add_account(c, a, &s, deliver, why);
    p3_settings_free(&s);
    return ok;
}

/* Takes all accounts from the configuration, because there may be very many. */
static bool add_all(p3_chosen *c, p3_arguments *a, bool deliver, p3_problem *why)
{
    bool ok = check_password(&a->settings, why);
    for (size_t i = 0; ok && i < c->config.count; i++) {
        p3_settings *s = &c->config.accounts[i];
        ok = (p3_settings_override(s, &a->settings) || p3_problem_memory(why)) &&
             add_account(c, a, s, deliver, why);
    }
    p3_config_forget_accounts(&c->config);
    return ok;
}

bool p3_chosen_read(p3_chosen *c, p3_arguments *a, char *const *words, size_t count, bool deliver,
                    p3_problem *why)
{
    *c = (p3_chosen){.tls = {.verify = a->verify, .verify_ctx = a->verify_ctx}};
    bool all = count == 0;
    if (all || a->run.config != NULL) {
        if (!read_config(c, a, why))
            return false;
        if (all && c->config.count == 0)
            return p3_problem_set(why, EX_CONFIG, "%s has no account", c->config.path);
    }
    c->at = calloc(all ? c->config.count : count, sizeof *c->at);
    if (c->at == NULL) /* they must not move: their fields point into them */
        return p3_problem_memory(why);
    if (all)
        return add_all(c, a, deliver, why);
    for (size_t i = 0; i < count; i++) {
        if (!add_word(c, a, words[i], deliver, why))
            return false;
    }
    return true;
}

void p3_chosen_free(p3_chosen *c)
{
    for (size_t i = 0; i < c->count; i++)
        p3_local_account_free(&c->at[i]);
    free(c->at);
    p3_tls_shared_free(&c->tls);
    p3_config_free(&c->config);
    *c = (p3_chosen){0};
}

int p3_chosen_deliver(p3_arguments *a, int (*work)(p3_arguments *a, p3_chosen *chosen))
{
    p3_problem why;
    p3_chosen chosen;
    bool ok = p3_chosen_read(&chosen, a, a->rest, (size_t)a->count, true, &why);
    int status = ok ? work(a, &chosen) : p3_print_problem(NULL, &why);
    p3_chosen_free(&chosen);
    return status;
}

/* The target for --target: the named one, or the only one with tokens. */
static const p3_secret_source *find_target(const p3_local_account *account, const char *target,
                                           const char *doing, p3_problem *why)
{
    const p3_secret_source *found = NULL;
    const p3_secret_source *source;
    for (size_t i = 0; (source = p3_local_account_target_secret(account, i)) != NULL; i++) {
        if (!p3_oauth_is_used(source) ||
            (target != NULL && strcmp(p3_target_row_of(source->kind)->name, target) != 0))
            continue;
        if (found != NULL) {
            p3_problem_set(why, EX_USAGE,
                           "%s: the account has tokens for several targets; name one: --target "
                           "%s %s",
                           doing, p3_target_row_of(found->kind)->name,
                           account->account.tokens.word);
            return NULL;
        }
        found = source;
    }
    if (found != NULL)
        return found;
    p3_problem_set(why, EX_CONFIG,
                   "%s: the account has no provider of tokens for its target%s%s; set gmail and "
                   "gmail-client-id, or imap-provider, or smtp-provider",
                   doing, target != NULL ? " " : "", target != NULL ? target : "");
    return NULL;
}

const p3_secret_source *p3_chosen_tokens(const p3_local_account *account, const p3_arguments *a,
                                         const char *doing, p3_problem *why)
{
    if (a->run.target)
        return find_target(account, a->count == 2 ? a->rest[0] : NULL, doing, why);
    if (p3_oauth_is_used(&account->secret))
        return &account->secret;
    p3_problem_set(why, EX_CONFIG,
                   "%s: the account has no provider of tokens; set provider, or issuer", doing);
    return NULL;
}

bool p3_chosen_read_for_tokens(p3_chosen *c, p3_arguments *a, const char *command, p3_problem *why)
{
    int target = a->run.target && a->count == 2;
    if (a->count != 1 + target)
        return p3_problem_set(why, EX_USAGE, "%s: name one account; see `pop3 help %s`", command,
                              command);
    return p3_chosen_read(c, a, a->rest + target, 1, false, why);
}

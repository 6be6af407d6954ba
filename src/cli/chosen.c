/* The accounts that a command line is about. */
#include "cli/chosen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/output.h"
#include "cli/printable.h"

/* Shows what goes over a connection, on standard error and without control characters. */
static void show_trace(void *ctx, pop3_trace_kind kind, const char *data, size_t len)
{
    const p3_local_account *a = ctx;
    const char *mark = kind == POP3_TRACE_SENT ? "C:" : kind == POP3_TRACE_NOTE ? "--" : "S:";
    char *clean = p3_line_clean(data, len);
    p3_print(stderr, "%s %s %s\n", a->account.name, mark, clean != NULL ? clean : "");
    free(clean);
}

/* Makes one account: what the command line says, then what the configuration says. */
static bool add(p3_chosen *c, p3_arguments *a, const p3_settings *from, const char *url,
                bool deliver, p3_problem *why)
{
    p3_settings s = {0};
    p3_local_account *to = &c->at[c->count];
    bool ok =
        p3_settings_inherit(&s, &a->settings) || p3_problem_set(why, EX_OSERR, "out of memory");
    if (ok && url != NULL)
        ok = p3_setting_set(&s, NULL, p3_setting_find("url", P3_PLACE_COMMAND), url, why);
    if (ok && s.url.password != NULL)
        ok = p3_problem_set(why, EX_USAGE,
                            "the URL would show the password to everybody on this machine; use "
                            "--password-file or --password-command");
    if (ok && from != NULL) {
        ok = p3_settings_inherit(&s, from);
        s.name = ok ? strdup(from->name) : NULL;
        ok = s.name != NULL || p3_problem_set(why, EX_OSERR, "out of memory");
    }
    if (!ok) {
        p3_settings_free(&s);
        return false;
    }
    c->count++;
    to->verify = a->verify;
    to->verify_ctx = a->verify_ctx;
    bool made = p3_local_account_make(to, &s, deliver, why);
    if (a->run.trace) {
        to->account.connection.engine.trace = show_trace;
        to->account.connection.engine.trace_ctx = to;
        to->account.connection.engine.trace_level = 1;
    }
    if (made)
        return true;
    to->unusable = malloc(sizeof *to->unusable);
    if (to->unusable == NULL)
        return p3_problem_set(why, EX_OSERR, "out of memory");
    *to->unusable = *why;
    to->account.unusable = to->unusable;
    return deliver && from != NULL; /* one account's mistake is not the others' */
}

/* Reads the configuration; what the command line says of the run comes before what that says. */
static bool read_config(p3_chosen *c, p3_arguments *a, p3_problem *why)
{
    if (!p3_config_read(&c->config, a->run.config, true, p3_complain_in_file, why))
        return false;
    return p3_run_settings_inherit(&a->run, &c->config.run) ||
           p3_problem_set(why, EX_OSERR, "out of memory");
}

static bool add_word(p3_chosen *c, p3_arguments *a, const char *word, bool deliver, p3_problem *why)
{
    if (p3_is_url(word))
        return add(c, a, NULL, word, deliver, why);
    if (c->config.path == NULL && !read_config(c, a, why))
        return false;
    const p3_settings *from = p3_config_find(&c->config, word, why);
    return from != NULL && add(c, a, from, NULL, deliver, why);
}

bool p3_chosen_read(p3_chosen *c, p3_arguments *a, char *const *words, size_t count, bool deliver,
                    p3_problem *why)
{
    *c = (p3_chosen){0};
    bool all = count == 0;
    if (all || a->run.config != NULL) {
        if (!read_config(c, a, why))
            return false;
        if (all && c->config.count == 0)
            return p3_problem_set(why, EX_CONFIG, "%s has no account", c->config.path);
    }
    if (all)
        count = c->config.count;
    c->at = calloc(count, sizeof *c->at); /* they must not move: their fields point into them */
    if (c->at == NULL)
        return p3_problem_set(why, EX_OSERR, "out of memory");
    for (size_t i = 0; i < count; i++) {
        bool ok = all ? add(c, a, &c->config.accounts[i], NULL, deliver, why)
                      : add_word(c, a, words[i], deliver, why);
        if (!ok)
            return false;
    }
    return true;
}

void p3_chosen_free(p3_chosen *c)
{
    for (size_t i = 0; i < c->count; i++)
        p3_local_account_free(&c->at[i]);
    free(c->at);
    p3_config_free(&c->config);
    *c = (p3_chosen){0};
}

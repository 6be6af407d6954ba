/* Takes command lines apart. Every setting of the configuration is an option of the same name. */
#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/output.h"

/* A word that switches something on. */
static bool take_switch(p3_arguments *a, const char *name)
{
    struct {
        const char *name;
        bool *on;
    } const switches[] = {
        {"quiet", &a->quiet}, {"q", &a->quiet},     {"verbose", &a->verbose},
        {"v", &a->verbose},   {"json", &a->json},   {"dry-run", &a->dry_run},
        {"n", &a->dry_run},   {"trace", &a->trace}, {"no-sandbox", &a->no_sandbox},
        {"help", &a->help},   {"h", &a->help}};
    for (size_t i = 0; i < sizeof switches / sizeof *switches; i++) {
        if (strcmp(switches[i].name, name) == 0) {
            *switches[i].on = true;
            return true;
        }
    }
    return false;
}

/* Options with a value that are not settings of an account. */
static const char **find_value(p3_arguments *a, const char *name)
{
    struct {
        const char *name;
        const char **value;
    } const values[] = {{"config", &a->config},     {"state", &a->state},
                        {"every", &a->every},       {"jobs", &a->jobs},
                        {"per-host", &a->per_host}, {"retry-wait", &a->retry_wait},
                        {"retries", &a->retries},   {"lines", &a->lines}};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        if (strcmp(values[i].name, name) == 0)
            return values[i].value;
    }
    return NULL;
}

/* Options that are short for a setting and its value. */
static bool take_short_form(p3_arguments *a, const char *name, bool *taken, p3_problem *why)
{
    static const struct {
        const char *name;
        const char *setting;
        const char *value;
    } forms[] = {{"keep", "remove", "never"},
                 {"delete", "remove", "delivered"},
                 {"allow-plaintext", "allow-plaintext", "yes"},
                 {"received", "received", "yes"},
                 {"keyring", "keyring", "yes"}};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (strcmp(forms[i].name, name) == 0) {
            *taken = true;
            return p3_setting_set(&a->settings, p3_setting_find(forms[i].setting), forms[i].value,
                                  why);
        }
    }
    return true;
}

static bool unknown(const char *name, p3_problem *why)
{
    const char *nearest = p3_setting_nearest(name);
    return p3_problem_set(why, EX_USAGE, "unknown option --%s%s%s; `pop3 help options` lists them",
                          name, nearest != NULL ? ", perhaps --" : "",
                          nearest != NULL ? nearest : "");
}

static bool take_value(p3_arguments *a, const char *name, const char *value, p3_problem *why)
{
    const char **plain = find_value(a, name);
    const p3_setting *setting =
        p3_setting_find(strcmp(name, "delete-after") == 0 ? "remove" : name);
    if (plain != NULL) {
        *plain = value;
        return true;
    }
    if (setting->is_secret)
        return p3_problem_set(why, EX_USAGE,
                              "--%s would show the password to everybody on this machine; use "
                              "--password-file or --password-command",
                              name);
    bool ok = p3_setting_set(&a->settings, setting, value, why);
    if (!ok && why->exit == EX_CONFIG)
        why->exit = EX_USAGE;
    return ok;
}

/* One option: argv[*i], and perhaps the next word. */
static bool take_option(p3_arguments *a, int argc, char **argv, int *i, p3_problem *why)
{
    const char *word = argv[*i] + 1;
    char name[64];
    bool taken = false;
    word += *word == '-';
    size_t len = strcspn(word, "=");
    if (len >= sizeof name)
        return unknown(word, why);
    memcpy(name, word, len);
    name[len] = '\0';
    if (word[len] == '\0') {
        if (take_switch(a, name))
            return true;
        if (!take_short_form(a, name, &taken, why) || taken)
            return taken;
    }
    bool known = find_value(a, name) != NULL || p3_setting_find(name) != NULL ||
                 strcmp(name, "delete-after") == 0;
    if (!known)
        return unknown(name, why);
    if (word[len] == '=')
        return take_value(a, name, word + len + 1, why);
    if (*i + 1 == argc)
        return p3_problem_set(why, EX_USAGE, "--%s needs a value", name);
    return take_value(a, name, argv[++*i], why);
}

bool p3_arguments_read(p3_arguments *a, int argc, char **argv, p3_problem *why)
{
    *a = (p3_arguments){.rest = calloc((size_t)argc + 1, sizeof(char *))};
    bool options = true;
    bool ok = true;
    if (a->rest == NULL)
        return p3_problem_set(why, EX_OSERR, "out of memory");
    for (int i = 0; ok && i < argc; i++) {
        if (options && strcmp(argv[i], "--") == 0)
            options = false;
        else if (options && argv[i][0] == '-' && argv[i][1] != '\0')
            ok = take_option(a, argc, argv, &i, why);
        else
            a->rest[a->count++] = argv[i];
    }
    return ok;
}

void p3_arguments_free(p3_arguments *a)
{
    p3_settings_free(&a->settings);
    free(a->rest);
}

int p3_complain(const char *account, const p3_problem *why)
{
    if (account != NULL)
        p3_print(stderr, "pop3: %s: %s\n", account, why->text);
    else
        p3_print(stderr, "pop3: %s\n", why->text);
    return why->exit;
}

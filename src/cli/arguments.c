/* Parses command lines. Every setting of the configuration is an option of the same name. */
#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/output.h"

static bool unknown(const char *name, p3_problem *why)
{
    const char *nearest = p3_setting_nearest(name, P3_PLACE_COMMAND);
    return p3_problem_set(why, EX_USAGE, "unknown option --%s%s%s; `pop3 help options` lists them",
                          name, nearest != NULL ? ", perhaps --" : "",
                          nearest != NULL ? nearest : "");
}

static bool take_value(p3_arguments *a, const p3_setting *which, const char *value, p3_problem *why)
{
    p3_problem what;
    if (p3_setting_set(&a->settings, &a->run, which, value, &what))
        return true;
    int exit = what.exit == EX_CONFIG ? EX_USAGE : what.exit;
    return p3_problem_set(why, exit, "%s%s", exit == EX_USAGE ? "--" : "", what.text);
}

/* Reads one option: argv[*i], and possibly the next word. */
static bool take_option(p3_arguments *a, int argc, char **argv, int *i, p3_problem *why)
{
    const char *word = argv[*i] + 1;
    char name[64];
    word += *word == '-';
    size_t len = strcspn(word, "=");
    if (len >= sizeof name)
        return unknown(word, why);
    memcpy(name, word, len);
    name[len] = '\0';
    const char *value = word[len] == '=' ? word + len + 1 : NULL;
    const p3_setting *which = p3_setting_find(name, P3_PLACE_COMMAND);
    const p3_setting *in_file = p3_setting_find(name, P3_PLACE_FILE);
    if (which == NULL && in_file != NULL && in_file->is_secret)
        return p3_problem_set(why, EX_USAGE,
                              "--%s would show the password to all users of this machine; use "
                              "--password-file or --password-command",
                              name);
    if (which == NULL)
        return unknown(name, why);
    if (which->argument != NULL && value == NULL) {
        if (*i + 1 == argc)
            return p3_problem_set(why, EX_USAGE, "--%s needs a value", name);
        value = argv[++*i];
    }
    /* An option without an argument may have a value only if it is a setting that can also be "no".
     */
    if (which->argument == NULL && value != NULL && which->type != P3_TYPE_YES_NO)
        return unknown(word, why);
    return take_value(a, which, value != NULL ? value : "yes", why);
}

bool p3_arguments_read(p3_arguments *a, int argc, char **argv, p3_problem *why)
{
    *a = (p3_arguments){.rest = calloc((size_t)argc + 1, sizeof(char *))};
    p3_run_settings_preset(&a->run);
    bool options = true;
    bool ok = true;
    if (a->rest == NULL)
        return p3_problem_memory(why);
    for (int i = 0; ok && i < argc; i++) {
        if (options && strcmp(argv[i], "--") == 0)
            options = false;
        else if (options && argv[i][0] == '-' && argv[i][1] != '\0')
            ok = take_option(a, argc, argv, &i, why);
        else
            a->rest[a->count++] = argv[i];
    }
    p3_problem what;
    if (ok && !p3_settings_choose_one(&a->settings, &what))
        ok = p3_problem_set(why, EX_USAGE, "--%s", what.text);
    return ok;
}

void p3_arguments_free(p3_arguments *a)
{
    p3_settings_free(&a->settings);
    p3_run_settings_free(&a->run);
    free(a->rest);
}

int p3_print_problem(const char *account, const p3_problem *why)
{
    if (account != NULL)
        p3_print(stderr, "pop3: %s: %s\n", account, why->text);
    else
        p3_print(stderr, "pop3: %s\n", why->text);
    return why->exit;
}

void p3_print_problem_in_file(const char *path, int line, const char *text)
{
    p3_print(stderr, "%s:%d: %s\n", path, line, text);
}

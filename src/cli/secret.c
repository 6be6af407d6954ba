/* Where passwords and tokens come from. */
#include "cli/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/netrc.h"
#include "cli/oauth.h"
#include "cli/question.h"
#include "settings/text.h"
#include "confine/shell.h"
#include "system/erase.h"

static const char *prefix_of(const p3_secret_source *s)
{
    return s->prefix != NULL ? s->prefix : "";
}

/* The shell's status for a program that is not there. */
static const char *advice_on(int status)
{
    return status == 127 ? "; install the program, or give its whole path" : "";
}

static bool from_command(const p3_secret_source *s, const char *command, const char *setting,
                         p3_secret *out, p3_problem *why)
{
    char *room = malloc(P3_SECRET_SIZE);
    size_t len;
    if (room == NULL)
        return p3_problem_set(why, EX_OSERR, "out of memory");
    int status = p3_spawn_output(command, room, P3_SECRET_SIZE, &len, why);
    bool ok = status == 0;
    if (status > 0)
        p3_problem_set(why, EX_CONFIG, "finding the password: the %s%s ended with status %d%s",
                       prefix_of(s), setting, status, advice_on(status));
    ok = ok && p3_secret_take_line(room, len, out, why);
    p3_erase(room, P3_SECRET_SIZE);
    free(room);
    return ok;
}

/* Adds a word to a command line so that the shell takes it as it is. */
static char *quote(const char *word)
{
    char *out = malloc(strlen(word) * 4 + 3);
    char *at = out;
    if (out == NULL)
        return NULL;
    *at++ = '\'';
    for (; *word != '\0'; word++) {
        if (*word == '\'')
            at = stpcpy(at, "'\\''");
        else
            *at++ = *word;
    }
    *at++ = '\'';
    *at = '\0';
    return out;
}

/* What asks the desktop's keyring. NULL when out of memory. */
static char *keyring_command(const p3_secret_source *s)
{
    const char *name = s->account->connection.host;
    char *host = quote(name != NULL ? name : "");
    char *user = quote(s->account->user != NULL ? s->account->user : "");
    char *command = NULL;
    if (host != NULL && user != NULL)
        command = p3_text_join("secret-tool lookup service pop3 host ", host, " user ", user, NULL);
    free(host);
    free(user);
    return command;
}

static bool from_keyring(const p3_secret_source *s, p3_secret *out, p3_problem *why)
{
    char *command = keyring_command(s);
    bool ok = command != NULL ? from_command(s, command, "keyring (secret-tool)", out, why)
                              : p3_problem_set(why, EX_OSERR, "out of memory");
    free(command);
    return ok;
}

static bool from_terminal(const p3_secret_source *s, p3_secret *out, p3_problem *why)
{
    char line[1024];
    ssize_t n = p3_question_ask(s->account->name, line, sizeof line);
    if (n == P3_QUESTION_NO_TERMINAL)
        return p3_problem_set(
            why, EX_CONFIG,
            "finding the password: none is set, and there is no terminal to ask; set "
            "%spassword-command or %spassword-file",
            prefix_of(s), prefix_of(s));
    if (n == P3_QUESTION_INTERRUPTED)
        return p3_problem_set(why, EX_TEMPFAIL, "finding the password: interrupted");
    bool ok = n > 0 ? p3_secret_take_line(line, (size_t)n, out, why)
                    : p3_problem_set(why, EX_CONFIG, "finding the password: none was typed");
    p3_erase(line, sizeof line);
    return ok;
}

static bool from_text(const char *text, p3_secret *out, p3_problem *why)
{
    out->text = strdup(text);
    out->len = strlen(text);
    return out->text != NULL || p3_problem_set(why, EX_OSERR, "out of memory");
}

/* A pipe, or a device, may have to be waited for. */
static bool is_regular_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

bool p3_secret_is_at_hand(const p3_secret_source *s)
{
    p3_settings set;
    p3_packed_settings_view(s->settings, &set);
    if (p3_oauth_is_set(&set) || set.token_command != NULL || set.password_command != NULL)
        return false;
    if (set.password_file != NULL)
        return is_regular_file(set.password_file);
    return set.password != NULL || set.url.password != NULL;
}

unsigned p3_login_needs(const p3_settings *s)
{
    const char *method = s->auth != NULL ? s->auth : s->url.mechanism;
    return method != NULL ? pop3_login_mechanism_needs(method)
                          : POP3_NEEDS_USER | POP3_NEEDS_PASSWORD | POP3_NEEDS_TOKEN;
}

/* A certificate or a ticket says who we are. */
static bool needs_no_secret(const p3_settings *s)
{
    return (p3_login_needs(s) & (POP3_NEEDS_PASSWORD | POP3_NEEDS_TOKEN)) == 0;
}

char *p3_secret_command(const p3_secret_source *s)
{
    p3_settings set;
    p3_packed_settings_view(s->settings, &set);
    if (p3_oauth_is_set(&set))
        return NULL;
    if (set.token_command != NULL)
        return strdup(set.token_command);
    if (set.password_command != NULL)
        return strdup(set.password_command);
    if (set.password_file != NULL || set.password != NULL || set.url.password != NULL ||
        needs_no_secret(&set) || !set.keyring)
        return NULL;
    return keyring_command(s);
}

/* What was refused is replaced. */
static void forget(p3_secret *out)
{
    if (out->text != NULL)
        p3_erase(out->text, out->len);
    free(out->text);
    *out = (p3_secret){0};
}

bool p3_secret_find(void *source, p3_secret *out, p3_problem *why)
{
    const p3_secret_source *s = source;
    p3_settings set;
    p3_packed_settings_view(s->settings, &set);
    bool found = false;
    if (p3_oauth_is_set(&set))
        return p3_oauth_find(s, out, why);
    forget(out);
    out->is_token = set.token_command != NULL;
    if (set.token_command != NULL)
        return from_command(s, set.token_command, "token-command", out, why);
    if (set.password_command != NULL)
        return from_command(s, set.password_command, "password-command", out, why);
    if (set.password_file != NULL)
        return p3_secret_from_file(set.password_file, "password file", out, why);
    if (set.password != NULL)
        return from_text(set.password, out, why);
    if (set.url.password != NULL)
        return from_text(set.url.password, out, why);
    if (needs_no_secret(&set))
        return true;
    if (set.keyring)
        return from_keyring(s, out, why);
    if (!p3_netrc_find(set.netrc, s->account->connection.host, s->account->user, &out->text, &found,
                       why))
        return false;
    if (found) {
        out->len = strlen(out->text);
        return true;
    }
    return from_terminal(s, out, why);
}

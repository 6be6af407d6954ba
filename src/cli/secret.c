/* Finds passwords and tokens. */
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
#include "cli/password_prompt.h"
#include "settings/text.h"
#include "confine/shell.h"
#include "system/erase.h"

static const char *prefix_of(const p3_secret_source *s)
{
    return s->prefix != NULL ? s->prefix : "";
}

static const char keyring[] = "keyring (secret-tool)";

/* Statuses of the shell for a program that does not exist or cannot be executed. */
static const char *advice_on(int status, const char *setting)
{
    if (status != 127)
        return "";
    return setting == keyring ? "; install secret-tool, or set password-file instead of keyring"
                              : "; install the program, or give its whole path";
}

static bool from_command(const p3_secret_source *s, const char *command, const char *setting,
                         p3_secret *out, p3_problem *why)
{
    char *room = malloc(P3_SECRET_SIZE);
    size_t len;
    if (room == NULL)
        return p3_problem_memory(why);
    int status = p3_spawn_output(command, room, P3_SECRET_SIZE, &len, why);
    bool ok = status == 0;
    if (status > 0)
        p3_problem_set(why, EX_CONFIG, "finding the password: the %s%s ended with status %d%s",
                       prefix_of(s), setting, status, advice_on(status, setting));
    ok = ok && p3_secret_read_line(room, len, "finding the password", out, why);
    p3_erase(room, P3_SECRET_SIZE);
    free(room);
    return ok;
}

/* Appends a word to a command line, quoted for the shell. */
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

/* The command that asks the desktop's keyring. NULL when out of memory. */
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
    bool ok =
        command != NULL ? from_command(s, command, keyring, out, why) : p3_problem_memory(why);
    free(command);
    return ok;
}

static bool from_terminal(const p3_secret_source *s, p3_secret *out, p3_problem *why)
{
    char line[1024];
    ssize_t n = p3_password_prompt(s->account->name, line, sizeof line);
    if (n == P3_PASSWORD_PROMPT_NO_TERMINAL)
        return p3_problem_set(
            why, EX_CONFIG,
            "finding the password: none is set, and there is no terminal to ask; set "
            "%spassword-command or %spassword-file",
            prefix_of(s), prefix_of(s));
    if (n == P3_PASSWORD_PROMPT_INTERRUPTED)
        return p3_problem_set(why, EX_TEMPFAIL, "finding the password: interrupted");
    bool ok = n > 0 ? p3_secret_read_line(line, (size_t)n, "finding the password", out, why)
                    : p3_problem_set(why, EX_CONFIG, "finding the password: none was typed");
    p3_erase(line, sizeof line);
    return ok;
}

static bool from_text(const char *text, p3_secret *out, p3_problem *why)
{
    out->text = strdup(text);
    out->len = strlen(text);
    return out->text != NULL || p3_problem_memory(why);
}

/* Reading a pipe or a device may have to wait. */
static bool is_regular_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

unsigned p3_login_needs(const p3_settings *s)
{
    const char *method = s->auth != NULL ? s->auth : s->url.mechanism;
    return method != NULL ? pop3_login_mechanism_needs(method)
                          : POP3_NEEDS_USER | POP3_NEEDS_PASSWORD | POP3_NEEDS_TOKEN;
}

/* A certificate or a ticket identifies the user. */
static bool needs_no_secret(const p3_settings *s)
{
    return (p3_login_needs(s) & (POP3_NEEDS_PASSWORD | POP3_NEEDS_TOKEN)) == 0;
}

/* The source of a secret: the first that is set, in this order. */
typedef enum p3_secret_place {
    P3_SECRET_OF_PROVIDER,
    P3_SECRET_BY_TOKEN_COMMAND,
    P3_SECRET_BY_COMMAND,
    P3_SECRET_IN_FILE,
    P3_SECRET_IN_SETTING,
    P3_SECRET_IN_URL,
    P3_SECRET_NOWHERE, /* none is needed */
    P3_SECRET_IN_KEYRING,
    P3_SECRET_IN_NETRC /* or else the user at the terminal */
} p3_secret_place;

static p3_secret_place place_of(const p3_settings *s)
{
    return p3_oauth_is_set(s)            ? P3_SECRET_OF_PROVIDER
           : s->token_command != NULL    ? P3_SECRET_BY_TOKEN_COMMAND
           : s->password_command != NULL ? P3_SECRET_BY_COMMAND
           : s->password_file != NULL    ? P3_SECRET_IN_FILE
           : s->password != NULL         ? P3_SECRET_IN_SETTING
           : s->url.password != NULL     ? P3_SECRET_IN_URL
           : needs_no_secret(s)          ? P3_SECRET_NOWHERE
           : s->keyring                  ? P3_SECRET_IN_KEYRING
                                         : P3_SECRET_IN_NETRC;
}

bool p3_secret_is_at_hand(const p3_secret_source *s)
{
    p3_settings set;
    p3_packed_settings_view(s->settings, &set);
    p3_secret_place place = place_of(&set);
    return place == P3_SECRET_IN_SETTING || place == P3_SECRET_IN_URL ||
           (place == P3_SECRET_IN_FILE && is_regular_file(set.password_file));
}

bool p3_secret_may_be_in_netrc(const p3_secret_source *s)
{
    p3_settings set;
    p3_packed_settings_view(s->settings, &set);
    return place_of(&set) == P3_SECRET_IN_NETRC;
}

char *p3_secret_command(const p3_secret_source *s)
{
    p3_settings set;
    p3_packed_settings_view(s->settings, &set);
    switch (place_of(&set)) {
    case P3_SECRET_BY_TOKEN_COMMAND:
        return strdup(set.token_command);
    case P3_SECRET_BY_COMMAND:
        return strdup(set.password_command);
    case P3_SECRET_IN_KEYRING:
        return keyring_command(s);
    default:
        return NULL;
    }
}

/* A refused secret is replaced. */
static void forget_secret(p3_secret *out)
{
    if (out->text != NULL)
        p3_erase(out->text, out->len);
    free(out->text);
    *out = (p3_secret){0};
}

static bool from_netrc(const p3_secret_source *s, const char *path, p3_secret *out, p3_problem *why)
{
    bool found = false;
    if (!p3_netrc_find(path, s->account->connection.host, s->account->user, &out->text, &found,
                       why))
        return false;
    if (!found)
        return from_terminal(s, out, why);
    out->len = strlen(out->text);
    if (p3_secret_check(out->text, out->len, "finding the password in netrc", why))
        return true;
    forget_secret(out);
    return false;
}

/* Whether the file of a target's password can be used. One that cannot be read twice is not read.
 */
static bool check_file(const p3_secret_source *s, p3_problem *why)
{
    p3_settings set;
    p3_secret secret = {0};
    p3_problem told;
    struct stat st;
    p3_packed_settings_view(s->settings, &set);
    if (place_of(&set) != P3_SECRET_IN_FILE ||
        (stat(set.password_file, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
        return true;
    bool ok = p3_secret_from_file(set.password_file, "password file", &secret, &told);
    if (!ok)
        p3_problem_set(why, told.exit, "%spassword-file: %.700s", prefix_of(s), told.text);
    forget_secret(&secret);
    return ok;
}

bool p3_secret_find(void *source, p3_secret *out, p3_problem *why)
{
    const p3_secret_source *s = source;
    p3_settings set;
    if (s->target != NULL && !check_file(s->target, why))
        return false;
    p3_packed_settings_view(s->settings, &set);
    p3_secret_place place = place_of(&set);
    if (place == P3_SECRET_OF_PROVIDER)
        return p3_oauth_find(s, out, why);
    forget_secret(out);
    out->is_token = place == P3_SECRET_BY_TOKEN_COMMAND;
    switch (place) {
    case P3_SECRET_BY_TOKEN_COMMAND:
        return from_command(s, set.token_command, "token-command", out, why);
    case P3_SECRET_BY_COMMAND:
        return from_command(s, set.password_command, "password-command", out, why);
    case P3_SECRET_IN_FILE:
        return p3_secret_from_file(set.password_file, "password file", out, why);
    case P3_SECRET_IN_SETTING:
        return from_text(set.password, out, why);
    case P3_SECRET_IN_URL:
        return from_text(set.url.password, out, why);
    case P3_SECRET_IN_KEYRING:
        return from_keyring(s, out, why);
    case P3_SECRET_IN_NETRC:
        return from_netrc(s, set.netrc, out, why);
    default:
        return true;
    }
}

/* The settings of an account, by name. */
#include "cli/settings.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "cli/text.h"

/* Where systemd keeps the credentials of a unit. */
#define CREDENTIALS "$CREDENTIALS_DIRECTORY"

#define P3_AT(field) ((uint16_t)offsetof(p3_settings, field))

const p3_setting p3_all_settings[] = {
    {"url", P3_VALUE_TEXT, NULL, false, 'h', P3_AT(url)},
    {"host", P3_VALUE_TEXT, NULL, false, 'h', P3_AT(host)},
    {"port", P3_VALUE_NUMBER, NULL, false, '\0', P3_AT(port)},
    {"user", P3_VALUE_TEXT, NULL, false, '\0', P3_AT(user)},
    {"auth", P3_VALUE_TEXT, NULL, false, '\0', P3_AT(auth)},
    {"channel-binding", P3_VALUE_CHOICE, "tls-exporter tls-server-end-point tls-unique", false,
     '\0', P3_AT(channel_binding)},
    {"utf8", P3_VALUE_CHOICE, "auto off", false, '\0', P3_AT(utf8)},
    {"initial-response", P3_VALUE_CHOICE, "auto never", false, '\0', P3_AT(initial_response)},
    {"tls", P3_VALUE_CHOICE, "tls stls none", false, '\0', P3_AT(tls)},
    {"ca-file", P3_VALUE_PATH, NULL, false, '\0', P3_AT(ca_file)},
    {"ca-dir", P3_VALUE_PATH, NULL, false, '\0', P3_AT(ca_dir)},
    {"certificate", P3_VALUE_PATH, NULL, false, '\0', P3_AT(certificate)},
    {"key", P3_VALUE_PATH, NULL, false, '\0', P3_AT(key)},
    {"server-name", P3_VALUE_TEXT, NULL, false, '\0', P3_AT(server_name)},
    {"tls-min", P3_VALUE_CHOICE, "1.2 1.3", false, '\0', P3_AT(tls_min)},
    {"pin", P3_VALUE_TEXT, NULL, false, '\0', P3_AT(pin)},
    {"crl-file", P3_VALUE_PATH, NULL, false, '\0', P3_AT(crl_file)},
    {"proxy", P3_VALUE_TEXT, NULL, false, '\0', P3_AT(proxy)},
    {"proxy-user", P3_VALUE_TEXT, NULL, false, '\0', P3_AT(proxy_user)},
    {"proxy-password", P3_VALUE_TEXT, NULL, true, '\0', P3_AT(proxy_password)},
    {"socket", P3_VALUE_PATH, NULL, false, 'h', P3_AT(socket)},
    {"local-address", P3_VALUE_TEXT, NULL, false, '\0', P3_AT(local_address)},
    {"pipelining", P3_VALUE_CHOICE, "auto on off", false, '\0', P3_AT(pipelining)},
    {"traits", P3_VALUE_TEXT, NULL, false, '\0', P3_AT(traits)},
    {"timeout", P3_VALUE_TIME, NULL, false, '\0', P3_AT(timeout)},
    {"connect-timeout", P3_VALUE_TIME, NULL, false, '\0', P3_AT(connect_timeout)},
    {"session-timeout", P3_VALUE_TIME, NULL, false, '\0', P3_AT(session_timeout)},
    {"allow-plaintext", P3_VALUE_YES_NO, NULL, false, '\0', P3_AT(allow_plaintext)},
    {"password", P3_VALUE_TEXT, NULL, true, 'p', P3_AT(password)},
    {"password-command", P3_VALUE_TEXT, NULL, false, 'p', P3_AT(password_command)},
    {"token-command", P3_VALUE_TEXT, NULL, false, 'p', P3_AT(token_command)},
    {"password-file", P3_VALUE_PATH, NULL, false, 'p', P3_AT(password_file)},
    {"netrc", P3_VALUE_PATH, NULL, false, '\0', P3_AT(netrc)},
    {"keyring", P3_VALUE_YES_NO, NULL, false, 'p', P3_AT(keyring)},
    {"maildir", P3_VALUE_PATH, NULL, false, 'd', P3_AT(maildir)},
    {"mbox", P3_VALUE_PATH, NULL, false, 'd', P3_AT(mbox)},
    {"command", P3_VALUE_TEXT, NULL, false, 'd', P3_AT(command)},
    {"line-ends", P3_VALUE_CHOICE, "lf crlf", false, '\0', P3_AT(line_ends)},
    {"delivered-to", P3_VALUE_TEXT, NULL, false, '\0', P3_AT(delivered_to)},
    {"received", P3_VALUE_YES_NO, NULL, false, '\0', P3_AT(received)},
    {"remove", P3_VALUE_TIME, "never delivered", false, '\0', P3_AT(remove)},
    {"max-size", P3_VALUE_SIZE, NULL, false, '\0', P3_AT(max_size)},
    {"kill-size", P3_VALUE_SIZE, NULL, false, '\0', P3_AT(kill_size)},
    {"message-limit", P3_VALUE_SIZE, NULL, false, '\0', P3_AT(message_limit)},
    {"filter", P3_VALUE_TEXT, NULL, false, '\0', P3_AT(filter)},
    {"limit", P3_VALUE_NUMBER, NULL, false, '\0', P3_AT(limit)},
    {NULL, P3_VALUE_TEXT, NULL, false, '\0', 0},
};

static char **field(p3_settings *s, const p3_setting *which)
{
    return (char **)(void *)((char *)s + which->offset);
}

const p3_setting *p3_setting_find(const char *name)
{
    for (const p3_setting *s = p3_all_settings; s->name != NULL; s++) {
        if (strcmp(s->name, name) == 0)
            return s;
    }
    return NULL;
}

size_t p3_word_distance(const char *a, const char *b)
{
    size_t row[64];
    size_t len = strlen(b);
    if (len >= sizeof row / sizeof *row || strlen(a) >= sizeof row / sizeof *row)
        return SIZE_MAX;
    for (size_t k = 0; k <= len; k++)
        row[k] = k;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t k = 1; k <= len; k++) {
            size_t best = corner + (a[i - 1] != b[k - 1]);
            corner = row[k];
            if (row[k] + 1 < best)
                best = row[k] + 1;
            if (row[k - 1] + 1 < best)
                best = row[k - 1] + 1;
            row[k] = best;
        }
    }
    return row[len];
}

const char *p3_setting_nearest(const char *name)
{
    const char *nearest = NULL;
    size_t least = strlen(name) / 3 + 2;
    for (const p3_setting *s = p3_all_settings; s->name != NULL; s++) {
        size_t d = p3_word_distance(name, s->name);
        if (d < least) {
            least = d;
            nearest = s->name;
        }
    }
    return nearest;
}

/* ---- values ---- */

bool p3_value_is_yes(const char *text)
{
    return text != NULL && (strcasecmp(text, "yes") == 0 || strcasecmp(text, "on") == 0 ||
                            strcasecmp(text, "true") == 0 || strcmp(text, "1") == 0);
}

bool p3_value_is_no(const char *text)
{
    return strcasecmp(text, "no") == 0 || strcasecmp(text, "off") == 0 ||
           strcasecmp(text, "false") == 0 || strcmp(text, "0") == 0;
}

/* Reads digits; what follows is left to the caller. */
static const char *read_digits(const char *text, uint64_t *out)
{
    if (*text < '0' || *text > '9')
        return NULL;
    for (*out = 0; *text >= '0' && *text <= '9'; text++) {
        if (*out > (UINT64_MAX - 9) / 10)
            return NULL;
        *out = *out * 10 + (uint64_t)(*text - '0');
    }
    return text;
}

bool p3_value_number(const char *text, uint64_t most, uint64_t *out)
{
    const char *end = read_digits(text, out);
    return end != NULL && *end == '\0' && *out <= most;
}

/* A number and its unit: units and factors side by side. */
static bool read_with_unit(const char *text, const char *const *units, const uint64_t *factors,
                           uint64_t *out)
{
    const char *end = read_digits(text, out);
    for (size_t i = 0; end != NULL && units[i] != NULL; i++) {
        if (strcasecmp(end, units[i]) != 0)
            continue;
        if (*out > (uint64_t)INT64_MAX / factors[i])
            return false;
        *out *= factors[i];
        return true;
    }
    return false;
}

bool p3_value_size(const char *text, uint64_t *out)
{
    static const char *const units[] = {"", "K", "KB", "M", "MB", "G", "GB", NULL};
    static const uint64_t factors[] = {1, 1024, 1024, 1048576, 1048576, 1073741824, 1073741824};
    return read_with_unit(text, units, factors, out);
}

bool p3_value_time_ms(const char *text, int64_t *out)
{
    static const char *const units[] = {"ms", "", "s", "m", "h", "d", "w", NULL};
    static const uint64_t factors[] = {1, 1000, 1000, 60000, 3600000, 86400000, 604800000};
    uint64_t ms;
    if (!read_with_unit(text, units, factors, &ms))
        return false;
    *out = (int64_t)ms;
    return true;
}

/* Whether a word is among words separated by blanks. */
static bool is_among(const char *words, const char *word)
{
    size_t len = strlen(word);
    while (words != NULL && *words != '\0') {
        size_t n = strcspn(words, " ");
        if (n == len && strncmp(words, word, n) == 0)
            return true;
        words += n + (words[n] == ' ');
    }
    return false;
}

/* Says what is expected when a value is not right, or NULL when it is. */
static const char *expected(const p3_setting *which, const char *value)
{
    uint64_t n;
    int64_t ms;
    switch (which->kind) {
    case P3_VALUE_YES_NO:
        return p3_value_is_yes(value) || p3_value_is_no(value) ? NULL : "yes or no";
    case P3_VALUE_NUMBER:
        return p3_value_number(value, UINT32_MAX, &n) ? NULL : "a number";
    case P3_VALUE_SIZE:
        return p3_value_size(value, &n) ? NULL : "a size such as 50M";
    case P3_VALUE_TIME:
        return p3_value_time_ms(value, &ms) || is_among(which->choices, value)
                   ? NULL
                   : "a time such as 30s, 5m or 14d";
    case P3_VALUE_CHOICE:
        return is_among(which->choices, value) ? NULL : which->choices;
    default:
        return strpbrk(value, "\r\n") == NULL ? NULL : "a single line";
    }
}

/* What may stand before the first slash of a path, and the variable that says what it means. */
static const struct {
    const char *sign;
    const char *variable;
} p3_bases[] = {{"~", "HOME"}, {CREDENTIALS, CREDENTIALS + 1}};

/* Puts the directory in place of the sign that a path begins with. NULL when out of memory; free()
 * it. */
static char *expand_path(const char *value)
{
    for (size_t i = 0; i < sizeof p3_bases / sizeof *p3_bases; i++) {
        size_t len = strlen(p3_bases[i].sign);
        const char *base = getenv(p3_bases[i].variable);
        if (base != NULL && strncmp(value, p3_bases[i].sign, len) == 0 && value[len] == '/')
            return p3_text_join(base, value + len, NULL);
    }
    return strdup(value);
}

/* Where systemd puts what a unit's LoadCredential= names: outside of such a unit there is no place
 * to look in, and no file of that name either. */
static bool lacks_credentials(const p3_setting *which, const char *value)
{
    return which->kind == P3_VALUE_PATH &&
           strncmp(value, CREDENTIALS "/", sizeof CREDENTIALS) == 0 &&
           getenv(CREDENTIALS + 1) == NULL;
}

bool p3_setting_set(p3_settings *s, const p3_setting *which, const char *value, p3_problem *why)
{
    const char *wanted = expected(which, value);
    if (wanted != NULL)
        return p3_problem_set(
            why, EX_CONFIG, "%s: \"%s\" cannot be used; expected: %s%s%s", which->name,
            which->is_secret ? "***" : value, wanted,
            which->kind == P3_VALUE_TIME && which->choices != NULL ? ", or one of " : "",
            which->kind == P3_VALUE_TIME && which->choices != NULL ? which->choices : "");
    if (lacks_credentials(which, value))
        return p3_problem_set(why, EX_CONFIG,
                              "%s: " CREDENTIALS " is not set; systemd sets it for a unit with "
                              "LoadCredential=",
                              which->name);
    char *copy = which->kind == P3_VALUE_PATH ? expand_path(value) : strdup(value);
    if (copy == NULL)
        return p3_problem_set(why, EX_OSERR, "out of memory");
    char **at = field(s, which);
    if (*at != NULL && which->is_secret)
        explicit_bzero(*at, strlen(*at));
    free(*at);
    *at = copy;
    return true;
}

bool p3_settings_inherit(p3_settings *s, const p3_settings *from)
{
    char taken[8] = "";
    size_t groups = 0;
    for (const p3_setting *w = p3_all_settings; w->name != NULL; w++) {
        if (w->group != '\0' && *field(s, w) != NULL && strchr(taken, w->group) == NULL)
            taken[groups++] = w->group;
    }
    for (const p3_setting *w = p3_all_settings; w->name != NULL; w++) {
        const char *theirs = *(char *const *)(const void *)((const char *)from + w->offset);
        char **ours = field(s, w);
        if (w->group != '\0' && strchr(taken, w->group) != NULL)
            continue;
        if (*ours == NULL && theirs != NULL && (*ours = strdup(theirs)) == NULL)
            return false;
    }
    return true;
}

void p3_settings_free(p3_settings *s)
{
    for (const p3_setting *w = p3_all_settings; w->name != NULL; w++) {
        char **at = field(s, w);
        if (*at != NULL)
            explicit_bzero(*at, strlen(*at)); /* a URL may hold a password, too */
        free(*at);
    }
    free(s->name);
    *s = (p3_settings){0};
}

/* The types of settings: how a value is parsed, copied and freed. */
#include "settings/types.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "deliver/server_address.h"
#include "deliver/recipients.h"
#include "settings/text.h"
#include "settings/values.h"
#include "system/erase.h"

/* Where systemd puts the credentials of a unit. */
#define CREDENTIALS "$CREDENTIALS_DIRECTORY"

/* ---- what is wrong ---- */

static bool unusable(const p3_setting *which, const char *value, p3_problem *why,
                     const char *expected)
{
    return p3_problem_set(why, EX_CONFIG, "\"%s\" cannot be used; expected: %s",
                          which->is_secret ? "***" : value, expected);
}

/* "a, b or c", from words separated by blanks. */
static void list_words(const char *words, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    while (*words != '\0' && used < size) {
        size_t n = strcspn(words, " ");
        const char *next = words + n + (words[n] == ' ');
        const char *joint = *next == '\0' ? "" : strchr(next, ' ') == NULL ? " or " : ", ";
        used += (size_t)snprintf(out + used, size - used, "%.*s%s", (int)n, words, joint);
        words = next;
    }
}

/* ---- strings ---- */

static bool copy_string(void *to, const void *from)
{
    const char *text = *(char *const *)from;
    char *copy = text != NULL ? strdup(text) : NULL;
    *(char **)to = copy;
    return text == NULL || copy != NULL;
}

static bool read_text(const p3_setting *which, const char *value, void *out, p3_problem *why)
{
    if (strpbrk(value, "\r\n") != NULL)
        return unusable(which, value, why, "a single line");
    char expected[100];
    if (which->choices != NULL && p3_value_choice(value, which->choices) < 0) {
        list_words(which->choices, expected, sizeof expected);
        return unusable(which, value, why, expected);
    }
    return copy_string(out, &value) || p3_problem_memory(why);
}

/* Replaces the sign at the beginning of a path by the directory. */
static bool read_path(const p3_setting *which, const char *value, void *out, p3_problem *why)
{
    static const struct {
        const char *sign;
        const char *variable;
    } bases[] = {{"~", "HOME"}, {CREDENTIALS, &CREDENTIALS[1]}};
    if (strpbrk(value, "\r\n") != NULL)
        return unusable(which, value, why, "a single line");
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        size_t len = strlen(bases[i].sign);
        const char *base = getenv(bases[i].variable);
        if (strncmp(value, bases[i].sign, len) != 0 || value[len] != '/')
            continue;
        if (base != NULL) {
            *(char **)out = p3_text_join(base, value + len, NULL);
            return *(char **)out != NULL || p3_problem_memory(why);
        }
        /* Outside of a unit there is no such directory. */
        if (bases[i].sign[0] == '$')
            return p3_problem_set(why, EX_CONFIG,
                                  CREDENTIALS " is not set; systemd sets it for a unit with "
                                              "LoadCredential=");
    }
    return copy_string(out, &value) || p3_problem_memory(why);
}

/* ---- numbers and words ---- */

static bool read_yes_no(const p3_setting *which, const char *value, void *out, p3_problem *why)
{
    return p3_value_yes_no(value, out) || unusable(which, value, why, "yes or no");
}

static bool read_number(const p3_setting *which, const char *value, void *out, p3_problem *why)
{
    char expected[100];
    uint64_t most = which->most > 0 ? which->most : UINT32_MAX;
    if (p3_value_number(value, which->least, most, out))
        return true;
    if (which->most > 0)
        snprintf(expected, sizeof expected, "a number from %llu to %llu",
                 (unsigned long long)which->least, (unsigned long long)most);
    return unusable(which, value, why, which->most > 0 ? expected : "a number");
}

static bool read_size(const p3_setting *which, const char *value, void *out, p3_problem *why)
{
    return p3_value_size(value, out) || unusable(which, value, why, "a size such as 50M");
}

static bool read_time(const p3_setting *which, const char *value, void *out, p3_problem *why)
{
    int64_t ms;
    if (!p3_value_time_ms(value, &ms))
        return unusable(which, value, why, "a time such as 30s, 5m or 14d");
    if (which->most > 0 && (uint64_t)ms > which->most)
        return unusable(which, value, why, "a time of at most 24d");
    *(int64_t *)out = ms;
    return true;
}

static bool read_choice(const p3_setting *which, const char *value, void *out, p3_problem *why)
{
    char expected[100];
    int i = p3_value_choice(value, which->choices);
    if (i >= 0) {
        *(int *)out = which->values[i];
        return true;
    }
    list_words(which->choices, expected, sizeof expected);
    return unusable(which, value, why, expected);
}

static bool read_port(const p3_setting *which, const char *value, void *out, p3_problem *why)
{
    uint64_t port;
    if (!p3_value_number(value, 1, UINT16_MAX, &port))
        return unusable(which, value, why, "a number from 1 to 65535");
    *(uint16_t *)out = (uint16_t)port;
    return true;
}

/* ---- types of their own ---- */

static bool read_url(const p3_setting *which, const char *value, void *out, p3_problem *why)
{
    (void)which;
    return p3_url_parse(value, out, why);
}

/* KIND://HOST[:PORT] */
static bool read_proxy(const p3_setting *which, const char *value, void *out, p3_problem *why)
{
    static const struct {
        const char *prefix;
        pop3_proxy kind;
        uint16_t port;
    } kinds[] = {{"socks5://", POP3_PROXY_SOCKS5, 1080},
                 {"socks4a://", POP3_PROXY_SOCKS4A, 1080},
                 {"http://", POP3_PROXY_HTTP, 8080}};
    p3_proxy_setting *p = out;
    const char *at = NULL;
    uint64_t port = 0;
    (void)which;
    for (size_t i = 0; at == NULL && i < sizeof kinds / sizeof *kinds; i++) {
        size_t len = strlen(kinds[i].prefix);
        if (strncmp(value, kinds[i].prefix, len) == 0) {
            p->kind = kinds[i].kind;
            port = kinds[i].port;
            at = value + len;
        }
    }
    const char *colon = at != NULL ? strrchr(at, ':') : NULL;
    bool port_ok = colon == NULL || p3_value_number(colon + 1, 1, UINT16_MAX, &port);
    size_t len = at == NULL ? 0 : colon != NULL ? (size_t)(colon - at) : strlen(at);
    if (len == 0 || !port_ok || memchr(at, '@', len) != NULL)
        return p3_problem_set(why, EX_CONFIG,
                              "expected: socks5://HOST[:PORT], socks4a:// or http://; its user is "
                              "proxy-user"); /* the value may contain a password */
    p->port = (uint16_t)port;
    p->host = strndup(at, len);
    return p->host != NULL || p3_problem_memory(why);
}

static bool read_traits(const p3_setting *which, const char *value, void *out, p3_problem *why)
{
    p3_traits_setting *t = out;
    t->forget = strcmp(value, "none") == 0 || strncmp(value, "none,", 5) == 0;
    if (pop3_server_traits_read(&t->traits, value + (t->forget ? 4 : 0)))
        return true;
    char all[POP3_TRAITS_TEXT];
    char expected[POP3_TRAITS_TEXT + 60];
    (void)pop3_server_traits_write(&(pop3_server_traits){.flags = UINT32_MAX}, all, sizeof all);
    snprintf(expected, sizeof expected, "none, %s or quit-after=N, with commas between", all);
    return unusable(which, value, why, expected);
}

/* A number alone would mean seconds, and mail is deleted by it: the unit is required. */
static bool has_unit(const char *value)
{
    size_t len = strlen(value);
    return len > 0 && !isdigit((unsigned char)value[len - 1]);
}

static bool read_removal(const p3_setting *which, const char *value, void *out, p3_problem *why)
{
    p3_removal_setting *r = out;
    int64_t ms = 0;
    if (strcmp(value, "never") == 0)
        r->when = P3_REMOVE_NEVER;
    else if (strcmp(value, "delivered") == 0)
        r->when = P3_REMOVE_DELIVERED;
    else if (has_unit(value) && p3_value_time_ms(value, &ms))
        r->when = P3_REMOVE_AFTER;
    else
        return unusable(which, value, why,
                        "never, delivered, or a time with its unit, such as 14d");
    r->after = ms / 1000;
    return true;
}

static bool read_address(const p3_setting *which, const char *value, void *out, p3_problem *why)
{
    if (!p3_recipient_is_usable(value, strlen(value)))
        return unusable(which, value, why, "a mail address");
    return copy_string(out, &value) || p3_problem_memory(why);
}

/* A table has arrows; a value without one is its file. */
static bool read_table(const p3_setting *which, const char *value, void *out, p3_problem *why)
{
    return strstr(value, "->") != NULL ? read_text(which, value, out, why)
                                       : read_path(which, value, out, why);
}

static bool read_target(const p3_setting *which, const char *value, void *out, p3_problem *why)
{
    p3_target *t = out;
    const p3_target_row *row = p3_target_row_named(which->name, strlen(which->name));
    t->kind = row->kind;
    p3_server_address address;
    p3_server_url url;
    if (row->form == P3_TARGET_ADDRESS && !p3_server_address_read(&address, value))
        return unusable(which, value, why, "unix:/PATH, or HOST:PORT");
    if (row->form == P3_TARGET_MAILBOX)
        return read_address(which, value, &t->where, why);
    if (row->form == P3_TARGET_URL && !row->server(&url, value)) /* it may contain a password */
        return p3_problem_set(
            why, EX_CONFIG,
            "expected: %s, or %s://; it must not contain a password: set %s-password-file",
            row->example, row->name, row->name);
    return row->form == P3_TARGET_PATH ? read_path(which, value, &t->where, why)
                                       : read_text(which, value, &t->where, why);
}

/* The kind with this name, unless it was named before. */
static p3_target_kind read_kind(const p3_deliver_setting *d, size_t count, const char *name,
                                size_t len)
{
    const p3_target_row *row = p3_target_row_named(name, len);
    for (size_t i = 0; i < count; i++) {
        if (row != NULL && d->kinds[i] == row->kind)
            row = NULL;
    }
    return row != NULL ? row->kind : P3_TARGET_NONE;
}

/* Names of targets, separated by commas. */
static bool read_deliver(const p3_setting *which, const char *value, void *out, p3_problem *why)
{
    p3_deliver_setting *d = out;
    size_t count = 0;
    const char *at = value + strspn(value, " \t");
    bool ok = true;
    bool more = true;
    while (ok && more) {
        size_t len = strcspn(at, ", \t");
        p3_target_kind kind =
            count + 1 < P3_TARGETS_MOST ? read_kind(d, count, at, len) : P3_TARGET_NONE;
        d->kinds[count++] = (uint8_t)kind;
        at += len;
        at += strspn(at, " \t");
        more = *at == ',';
        ok = kind != P3_TARGET_NONE && (more || *at == '\0');
        at += more ? 1 + strspn(at + 1, " \t") : 0;
    }
    return ok || unusable(which, value, why,
                          "names of targets that are set, with commas between, such as "
                          "imap, maildir");
}

static bool read_fallback(const p3_setting *which, const char *value, void *out, p3_problem *why)
{
    p3_target *t = out;
    size_t len = strcspn(value, ":");
    const p3_target_row *row = p3_target_row_named(value, len);
    if (row == NULL || row->kind != P3_TARGET_MAILDIR || value[len] == '\0' ||
        value[len + 1] == '\0')
        return unusable(which, value, why, "maildir:DIR");
    t->kind = row->kind;
    return read_path(which, value + len + 1, &t->where, why);
}

static bool read_sender(const p3_setting *which, const char *value, void *out, p3_problem *why)
{
    const char *empty = "";
    if (strcmp(value, "keep") == 0)
        return true;
    if (strcmp(value, "empty") == 0)
        return copy_string(out, &empty) || p3_problem_memory(why);
    return read_address(which, value, out, why);
}

/* Flags and keywords of RFC 9051 §9: atoms, some with a backslash before them. */
static bool read_flags(const p3_setting *which, const char *value, void *out, p3_problem *why)
{
    bool ok = strlen(value) < 500;
    for (const char *at = value; ok && *at != '\0'; at++) {
        bool starts = at == value || at[-1] == ' ';
        ok = *at >= ' ' && (unsigned char)*at < 0x7f && strchr("(){%*\"]", *at) == NULL &&
             (*at != '\\' || (starts && at[1] != ' ' && at[1] != '\0'));
    }
    return ok ? copy_string(out, &value) || p3_problem_memory(why)
              : unusable(which, value, why, "flags such as \\Seen, with blanks between");
}

/* What goes to a provider of tokens (RFC 6749, appendix A), and into JSON, which has no other
 * octets unless they are UTF-8. */
static bool read_ascii(const p3_setting *which, const char *value, void *out, p3_problem *why)
{
    for (const char *at = value; *at != '\0'; at++) {
        if (*at < ' ' || *at > '~')
            return unusable(which, value, why, "printable characters of ASCII");
    }
    return copy_string(out, &value) || p3_problem_memory(why);
}

/* ---- the table ---- */

static const struct {
    size_t size;
    bool (*read)(const p3_setting *which, const char *value, void *out, p3_problem *why);
    size_t owned; /* the number of strings in a value, */
    size_t at[4]; /* and their offsets */
} types[] = {
    [P3_TYPE_TEXT] = {sizeof(char *), read_text, 1, {0}},
    [P3_TYPE_PATH] = {sizeof(char *), read_path, 1, {0}},
    [P3_TYPE_YES_NO] = {sizeof(bool), read_yes_no, 0, {0}},
    [P3_TYPE_SWITCH] = {sizeof(bool), read_yes_no, 0, {0}},
    [P3_TYPE_NUMBER] = {sizeof(uint64_t), read_number, 0, {0}},
    [P3_TYPE_SIZE] = {sizeof(uint64_t), read_size, 0, {0}},
    [P3_TYPE_TIME] = {sizeof(int64_t), read_time, 0, {0}},
    [P3_TYPE_CHOICE] = {sizeof(int), read_choice, 0, {0}},
    [P3_TYPE_PORT] = {sizeof(uint16_t), read_port, 0, {0}},
    [P3_TYPE_URL] = {sizeof(p3_url),
                     read_url,
                     4,
                     {offsetof(p3_url, user), offsetof(p3_url, password),
                      offsetof(p3_url, mechanism), offsetof(p3_url, host)}},
    [P3_TYPE_PROXY] = {sizeof(p3_proxy_setting), read_proxy, 1, {offsetof(p3_proxy_setting, host)}},
    [P3_TYPE_TRAITS] = {sizeof(p3_traits_setting), read_traits, 0, {0}},
    [P3_TYPE_REMOVAL] = {sizeof(p3_removal_setting), read_removal, 0, {0}},
    [P3_TYPE_TARGET] = {sizeof(p3_target), read_target, 1, {offsetof(p3_target, where)}},
    [P3_TYPE_DELIVER] = {sizeof(p3_deliver_setting), read_deliver, 0, {0}},
    [P3_TYPE_FALLBACK] = {sizeof(p3_target), read_fallback, 1, {offsetof(p3_target, where)}},
    [P3_TYPE_ADDRESS] = {sizeof(char *), read_address, 1, {0}},
    [P3_TYPE_SENDER] = {sizeof(char *), read_sender, 1, {0}},
    [P3_TYPE_FLAGS] = {sizeof(char *), read_flags, 1, {0}},
    [P3_TYPE_TABLE] = {sizeof(char *), read_table, 1, {0}},
    [P3_TYPE_ASCII] = {sizeof(char *), read_ascii, 1, {0}},
};

bool p3_type_read(const p3_setting *which, const char *value, void *out, p3_problem *why)
{
    if (types[which->type].read(which, value, out, why))
        return true;
    p3_type_clear(which->type, out);
    return false;
}

bool p3_type_copy(p3_setting_type type, void *to, const void *from)
{
    bool ok = true;
    memcpy(to, from, types[type].size);
    for (size_t i = 0; i < types[type].owned; i++) {
        size_t at = types[type].at[i];
        char *const *text = (const void *)((const char *)from + at);
        ok = copy_string((char *)to + at, text) && ok;
    }
    if (!ok)
        p3_type_clear(type, to);
    return ok;
}

size_t p3_type_size(p3_setting_type type)
{
    return types[type].size;
}

void p3_type_clear(p3_setting_type type, void *field)
{
    for (size_t i = 0; i < types[type].owned; i++) {
        char **text = (void *)((char *)field + types[type].at[i]);
        if (*text != NULL)
            p3_erase(*text, strlen(*text)); /* it may be a secret */
        free(*text);
    }
    memset(field, 0, types[type].size);
}

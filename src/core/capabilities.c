/* The capabilities a server announced (RFC 2449 §5 and §6). */
#include "core/capabilities.h"

#include "core/text.h"
#include "core/values.h"

#include <stdlib.h>
#include <string.h>

void p3_caps_clear(p3_caps *c)
{
    free(c->text);
    free(c->pointers);
    free(c->sasl_text);
    free(c->implementation);
    *c = (p3_caps){0};
}

bool p3_caps_add(p3_caps *c, pop3_str line)
{
    line = p3_trim_right(line);
    size_t need = c->text_len + line.len + 1;
    if (need > c->text_cap) {
        size_t cap = c->text_cap < 512 ? 512 : c->text_cap * 2;
        if (cap < need)
            cap = need;
        char *text = realloc(c->text, cap);
        if (text == NULL)
            return false;
        c->text = text;
        c->text_cap = cap;
    }
    for (size_t i = 0; i < line.len; i++) /* a NUL would cut the line as a string */
        c->text[c->text_len + i] = line.data[i] != '\0' ? line.data[i] : '?';
    c->text[c->text_len + line.len] = '\0';
    c->text_len = need;
    c->lines++;
    return true;
}

static char *copy(pop3_str s)
{
    char *p = malloc(s.len + 1);
    if (p == NULL)
        return NULL;
    if (s.len > 0)
        memcpy(p, s.data, s.len);
    p[s.len] = '\0';
    return p;
}

/* "EXPIRE never", "EXPIRE 30", "EXPIRE 30 USER" (RFC 2449 §6.7). Invalid values leave it unknown.
 */
static void parse_expire(pop3_capabilities *v, pop3_str args)
{
    pop3_str word = p3_parse_word(&args);
    uint64_t days = 0;
    if (p3_equals_nocase(word, "NEVER")) {
        v->expire = POP3_EXPIRE_NEVER;
    } else if (p3_parse_number(&word, &days) && word.len == 0) {
        v->expire = POP3_EXPIRE_DAYS;
        v->expire_days = days > UINT32_MAX ? UINT32_MAX : (uint32_t)days;
    } else {
        return;
    }
    v->expire_user = p3_equals_nocase(p3_parse_word(&args), "USER");
}

/* "LOGIN-DELAY 900", "LOGIN-DELAY 900 USER" (RFC 2449 §6.5). */
static void parse_login_delay(pop3_capabilities *v, pop3_str args)
{
    pop3_str word = p3_parse_word(&args);
    uint64_t seconds = 0;
    if (!p3_parse_number(&word, &seconds) || word.len > 0)
        return;
    v->login_delay = seconds > UINT32_MAX ? UINT32_MAX : (uint32_t)seconds;
    v->login_delay_user = p3_equals_nocase(p3_parse_word(&args), "USER");
}

/* Splits the mechanisms of "SASL A B C". A second SASL line replaces the first. */
static bool parse_sasl(p3_caps *c, pop3_str args, char ***list, size_t *count)
{
    char *text = copy(args);
    char **words = calloc(args.len / 2 + 1, sizeof *words);
    if (text == NULL || words == NULL) {
        free(text);
        free(words);
        return false;
    }
    free(c->sasl_text);
    free(*list);
    c->sasl_text = text;
    *list = words;
    *count = 0;
    pop3_str rest = p3_span(text, args.len);
    while (rest.len > 0) {
        pop3_str word = p3_parse_word(&rest);
        text[(size_t)(word.data - text) + word.len] = '\0';
        words[(*count)++] = text + (word.data - text);
    }
    return true;
}

/* Parses one line. False when out of memory. */
static bool parse_line(p3_caps *c, pop3_str line, char ***sasl, size_t *sasl_count)
{
    static const struct {
        const char *name;
        pop3_capability flag;
    } known[] = {
        {"TOP", POP3_CAP_TOP},
        {"USER", POP3_CAP_USER},
        {"SASL", POP3_CAP_SASL},
        {"RESP-CODES", POP3_CAP_RESP_CODES},
        {"LOGIN-DELAY", POP3_CAP_LOGIN_DELAY},
        {"PIPELINING", POP3_CAP_PIPELINING},
        {"EXPIRE", POP3_CAP_EXPIRE},
        {"UIDL", POP3_CAP_UIDL},
        {"STLS", POP3_CAP_STLS},
        {"AUTH-RESP-CODE", POP3_CAP_AUTH_RESP_CODE},
        {"UTF8", POP3_CAP_UTF8},
        {"LANG", POP3_CAP_LANG},
        {"IMPLEMENTATION", POP3_CAP_IMPLEMENTATION},
    };
    pop3_capabilities *v = &c->value;
    pop3_str args = p3_trim_left(line);
    pop3_str name = p3_parse_word(&args);
    uint32_t flag = 0;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (p3_equals_nocase(name, known[i].name))
            flag = (uint32_t)known[i].flag;
    }
    v->flags |= flag;
    switch (flag) {
    case POP3_CAP_EXPIRE:
        parse_expire(v, args);
        return true;
    case POP3_CAP_LOGIN_DELAY:
        parse_login_delay(v, args);
        return true;
    case POP3_CAP_UTF8:
        if (p3_equals_nocase(p3_parse_word(&args), "USER"))
            v->flags |= POP3_CAP_UTF8_USER;
        return true;
    case POP3_CAP_IMPLEMENTATION:
        free(c->implementation);
        c->implementation = copy(args);
        v->implementation = c->implementation;
        return c->implementation != NULL;
    case POP3_CAP_SASL:
        return parse_sasl(c, args, sasl, sasl_count);
    default:
        return true;
    }
}

bool p3_caps_finish(p3_caps *c)
{
    char **sasl = NULL;
    size_t sasl_count = 0;
    bool ok = false;
    char **lines = calloc(c->lines + 1, sizeof *lines);
    if (lines == NULL)
        goto out;
    char *p = c->text;
    for (size_t i = 0; i < c->lines; i++) {
        lines[i] = p;
        size_t len = strlen(p);
        if (!parse_line(c, p3_span(p, len), &sasl, &sasl_count))
            goto out;
        p += len + 1;
    }
    char **all = realloc(lines, (c->lines + sasl_count + 1) * sizeof *all);
    if (all == NULL)
        goto out;
    lines = NULL;
    if (sasl_count > 0)
        memcpy(all + c->lines, sasl, sasl_count * sizeof *all);
    c->pointers = all;
    c->value.line_count = c->lines;
    c->value.lines = (const char *const *)all;
    c->value.sasl_count = sasl_count;
    c->value.sasl = (const char *const *)(all + c->lines);
    ok = true;
out:
    free(lines);
    free(sasl);
    return ok;
}

bool pop3_capabilities_have(const pop3_capabilities *caps, const char *name)
{
    if (caps == NULL || name == NULL || *name == '\0')
        return false;
    for (size_t i = 0; i < caps->line_count; i++) {
        pop3_str line = p3_trim_left(p3_span(caps->lines[i], strlen(caps->lines[i])));
        if (p3_equals_nocase(p3_parse_word(&line), name))
            return true;
    }
    return false;
}

bool pop3_capabilities_have_sasl(const pop3_capabilities *caps, const char *mechanism)
{
    if (caps == NULL || mechanism == NULL)
        return false;
    for (size_t i = 0; i < caps->sasl_count; i++) {
        const char *have = caps->sasl[i];
        if (p3_equals_nocase(p3_span(have, strlen(have)), mechanism))
            return true;
    }
    return false;
}

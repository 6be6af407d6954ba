/* The arguments of a script's statements: which each one takes, and their conversion.
 * Files are looked up and certificates loaded here, so that a script fails before it plays. */
#define _POSIX_C_SOURCE 200809L
#include "script_args.h"
#include "conn.h"
#include "options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ONE_HOUR_MS = 3600000 };

/* The arguments of each statement, a letter for each:
 *   s string   J strings to join   Z strings, perhaps none   n number
 *   c count (K, M, G allowed)   m milliseconds   p piece size   f file   l list of numbers
 *   d string with %d   w optional word, the one of `word`   t settings of tls */
static const struct rule {
    const char *name;
    enum statement_kind kind;
    const char *args;
    const char *word;
} rules[] = {
    {"send", DO_SEND, "J", NULL},
    {"line", DO_LINE, "s", NULL},
    {"expect", DO_EXPECT, "s", NULL},
    {"expect-prefix", DO_EXPECT_PREFIX, "s", NULL},
    {"expect-any", DO_EXPECT_ANY, "", NULL},
    {"expect-eof", DO_EXPECT_EOF, "", NULL},
    {"expect-silence", DO_EXPECT_SILENCE, "m", NULL},
    {"body", DO_BODY, "fw", "crlf"},
    {"raw", DO_RAW, "f", NULL},
    {"fill", DO_FILL, "cs", NULL},
    {"random", DO_RANDOM, "cn", NULL},
    {"numbers", DO_NUMBERS, "dnn", NULL},
    {"capa", DO_CAPA, "Z", NULL},
    {"split", DO_SPLIT, "p", NULL},
    {"split-at", DO_SPLIT_AT, "l", NULL},
    {"delay", DO_DELAY, "m", NULL},
    {"delay-each", DO_DELAY_EACH, "m", NULL},
    {"tls", DO_TLS, "t", NULL},
    {"tls-may-fail", DO_TLS_MAY_FAIL, "t", NULL},
    {"close", DO_CLOSE, "", NULL},
    {"reset", DO_RESET, "", NULL},
    {"shutdown", DO_SHUTDOWN, "", NULL},
    {"close-notify", DO_CLOSE_NOTIFY, "", NULL},
    {"serve", DO_SERVE, "w", "transaction"},
    {"repeat", DO_REPEAT, "n", NULL},
    {"loop", DO_LOOP, "", NULL},
    {"on", DO_ON, "s", NULL},
    {"answer", DO_ANSWER, "", NULL},
    {"end", DO_END, "", NULL},
};

/* The statement at work. */
struct work {
    struct statement *st;
    const char *script;
    const struct tls_settings *settings;
    size_t next; /* the text to convert next; those before it stay */
};

/* Always false, for the caller to return. */
static bool complain(const struct work *w, const char *what, const char *text)
{
    script_complain(w->script, w->st->line, "%s: '%s'", what, text);
    return false;
}

static bool no_memory(const struct work *w)
{
    script_complain(w->script, w->st->line, "out of memory");
    return false;
}

/* Makes one text of all that follow. */
static bool join(struct work *w)
{
    struct statement *st = w->st;
    struct text *first = &st->texts[w->next];
    size_t len = 0;
    for (size_t i = w->next; i < st->n_texts; i++) {
        len += st->texts[i].len;
    }
    char *all = realloc(first->data, len + 1);
    if (all == NULL) {
        return no_memory(w);
    }
    first->data = all;
    for (size_t i = w->next + 1; i < st->n_texts; i++) {
        memcpy(all + first->len, st->texts[i].data, st->texts[i].len);
        first->len += st->texts[i].len;
        free(st->texts[i].data);
    }
    all[len] = '\0';
    st->n_texts = ++w->next;
    return true;
}

/* ---- numbers ---- */

static bool add_number(struct work *w, uint64_t value)
{
    struct statement *st = w->st;
    uint64_t *grown = realloc(st->numbers, (st->n_numbers + 1) * sizeof *grown);
    if (grown == NULL) {
        return no_memory(w);
    }
    st->numbers = grown;
    st->numbers[st->n_numbers++] = value;
    return true;
}

static void drop_text(struct work *w)
{
    struct statement *st = w->st;
    free(st->texts[w->next].data);
    st->n_texts--;
    memmove(&st->texts[w->next], &st->texts[w->next + 1],
            (st->n_texts - w->next) * sizeof *st->texts);
}

static bool to_number(struct work *w, uint64_t max)
{
    const struct text *text = &w->st->texts[w->next];
    uint64_t value;
    if (strlen(text->data) != text->len || !parse_number(text->data, max, &value)) {
        return complain(w, "a number is wrong or too large", text->data);
    }
    drop_text(w);
    return add_number(w, value);
}

/* A number that may end in K, M or G. */
static bool to_count(struct work *w)
{
    struct text *text = &w->st->texts[w->next];
    uint64_t factor = 1;
    char last = text->len > 1 ? text->data[text->len - 1] : '\0';
    if (last == 'K' || last == 'M' || last == 'G') {
        factor = last == 'K' ? 1 << 10 : last == 'M' ? 1 << 20 : 1 << 30;
        text->data[--text->len] = '\0';
    }
    if (!to_number(w, INT64_MAX / factor)) {
        return false;
    }
    w->st->numbers[w->st->n_numbers - 1] *= factor;
    return true;
}

/* All further texts: offsets between commas. */
static bool to_list(struct work *w)
{
    uint64_t before = 0;
    while (w->st->n_texts > w->next) {
        char *save = NULL;
        char *part = strtok_r(w->st->texts[w->next].data, ",", &save);
        for (; part != NULL; part = strtok_r(NULL, ",", &save)) {
            uint64_t value;
            if (!parse_number(part, UINT32_MAX, &value) || value <= before) {
                return complain(w, "offsets must ascend from 1 on", part);
            }
            if (!add_number(w, value)) {
                return false;
            }
            before = value;
        }
        drop_text(w);
    }
    return true;
}

static bool check_format(const struct work *w)
{
    const struct text *format = &w->st->texts[w->next];
    bool seen = false;
    for (size_t i = 0; i < format->len; i++) {
        if (format->data[i] == '%') {
            i++; /* a NUL follows the text, so this can be looked at */
            if (format->data[i] != 'd' && format->data[i] != '%') {
                return complain(w, "after % comes d or %", format->data);
            }
            seen = seen || format->data[i] == 'd';
        }
    }
    return seen || complain(w, "there is no %d", format->data);
}

/* ---- files ---- */

/* A file is looked for next to the script. The caller frees; NULL: it cannot be read. */
static char *file_path(const struct work *w, const char *file)
{
    const char *slash = strrchr(w->script, '/');
    size_t folder = slash != NULL && file[0] != '/' ? (size_t)(slash + 1 - w->script) : 0;
    char *path = malloc(folder + strlen(file) + 1);
    if (path == NULL) {
        (void)no_memory(w);
        return NULL;
    }
    memcpy(path, w->script, folder);
    memcpy(path + folder, file, strlen(file) + 1);
    if (access(path, R_OK) != 0) {
        (void)complain(w, strerror(errno), path);
        free(path);
        return NULL;
    }
    return path;
}

static bool to_path(struct work *w)
{
    struct text *text = &w->st->texts[w->next];
    char *path = file_path(w, text->data);
    if (path == NULL) {
        return false;
    }
    free(text->data);
    text->data = path;
    text->len = strlen(path);
    w->next++;
    return true;
}

/* ---- tls ---- */

/* What the words of a `tls` say, and the paths they name, which the caller frees. */
struct tls_words {
    struct tls_settings settings;
    char *cert;
    char *key;
    char *client_ca;
};

static bool take_file(const struct work *w, const char *word, const char *prefix, char **path)
{
    if (strncmp(word, prefix, strlen(prefix)) != 0) {
        return false;
    }
    free(*path);
    *path = file_path(w, word + strlen(prefix));
    return true;
}

static bool take_version(const char *word, const char *prefix, int *version)
{
    if (strncmp(word, prefix, strlen(prefix)) != 0) {
        return false;
    }
    *version = tls_version(word + strlen(prefix));
    return *version != 0;
}

static bool take_word(const struct work *w, const char *word, struct tls_words *t)
{
    if (take_file(w, word, "cert=", &t->cert)) {
        t->settings.cert = t->cert;
        t->settings.key = NULL; /* the server's own would not fit; key= may follow */
        return t->cert != NULL;
    }
    if (take_file(w, word, "key=", &t->key)) {
        return t->key != NULL;
    }
    if (take_file(w, word, "client-ca=", &t->client_ca)) {
        t->settings.client_ca = t->client_ca;
        return t->client_ca != NULL;
    }
    return take_version(word, "min=", &t->settings.min) ||
           take_version(word, "max=", &t->settings.max) ||
           complain(w, "cert=, key=, client-ca=, min= or max= is expected", word);
}

static bool to_tls(struct work *w)
{
    struct statement *st = w->st;
    struct tls_words t = {.settings = *w->settings};
    char why[256];
    bool ok = false;
    for (; w->next < st->n_texts; w->next++) {
        if (!take_word(w, st->texts[w->next].data, &t)) {
            goto out;
        }
    }
    if (t.key != NULL) {
        t.settings.key = t.key;
    }
    if (t.settings.cert == NULL) {
        script_complain(w->script, st->line, "a certificate is needed: --cert, or cert= here");
        goto out;
    }
    if (st->n_texts > 0) {
        st->tls = tls_context_new(&t.settings, why, sizeof why);
        if (st->tls == NULL) {
            script_complain(w->script, st->line, "%s", why);
            goto out;
        }
    }
    ok = true;
out:
    free(t.client_ca);
    free(t.key);
    free(t.cert);
    return ok;
}

/* ---- rules ---- */

static bool to_word(struct work *w, const char *word)
{
    if (w->next < w->st->n_texts) {
        if (strcmp(w->st->texts[w->next].data, word) != 0) {
            return complain(w, "this is not understood", w->st->texts[w->next].data);
        }
        w->next++;
    }
    return true;
}

static bool convert(struct work *w, const struct rule *rule, char arg)
{
    if (w->next == w->st->n_texts && strchr("Zwt", arg) == NULL) {
        return complain(w, "an argument is missing", rule->name);
    }
    switch (arg) {
    case 'd':
        if (!check_format(w)) {
            return false;
        }
        w->next++;
        return true;
    case 's':
        w->next++;
        return true;
    case 'J':
        return join(w);
    case 'Z':
        w->next = w->st->n_texts;
        return true;
    case 'n':
        return to_number(w, INT64_MAX);
    case 'c':
        return to_count(w);
    case 'm':
        return to_number(w, ONE_HOUR_MS);
    case 'p':
        return to_number(w, CONN_PIECE_MAX);
    case 'l':
        return to_list(w);
    case 'f':
        return to_path(w);
    case 'w':
        return to_word(w, rule->word);
    default: /* 't' */
        return to_tls(w);
    }
}

bool script_args(struct statement *st, const char *name, const char *script,
                 const struct tls_settings *settings)
{
    struct work w = {.st = st, .script = script, .settings = settings};
    const struct rule *rule = NULL;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        if (strcmp(rules[i].name, name) == 0) {
            rule = &rules[i];
        }
    }
    if (rule == NULL) {
        return complain(&w, "there is no such statement", name);
    }
    st->kind = rule->kind;
    for (const char *arg = rule->args; *arg != '\0'; arg++) {
        if (!convert(&w, rule, *arg)) {
            return false;
        }
    }
    if (w.next < st->n_texts) {
        return complain(&w, "too much; a string with blanks needs \"quotes\"",
                        st->texts[w.next].data);
    }
    return true;
}

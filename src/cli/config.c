/* The configuration file, read with inih. */
#include "cli/config.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/output.h"
#include "cli/private_file.h"
#include "cli/text.h"
#include "cli/url.h"

/* Reading, and where it stands. */
typedef struct p3_reader {
    p3_config *config;
    FILE *file;
    int line; /* the one that was read last */
    int mistakes;
    int error; /* errno of a read that failed */
    bool has_secret;
    char **parents; /* of each account: the name after "inherit", or NULL */
    size_t cap;
} p3_reader;

char *p3_home_path(const char *variable, const char *fallback, const char *file)
{
    const char *set = getenv(variable);
    const char *home = getenv("HOME");
    if (set != NULL && set[0] == '/')
        return p3_text_join(set, "/pop3/", file, NULL);
    return home != NULL ? p3_text_join(home, "/", fallback, "/pop3/", file, NULL) : NULL;
}

static int mistake(p3_reader *r, const char *text, const char *what, const char *nearest)
{
    r->mistakes++;
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a reader has a configuration */
    p3_print(stderr, "%s:%d: %s%s%s%s%s\n", r->config->path, r->line, text, what,
             nearest != NULL ? "; perhaps you mean \"" : "", nearest != NULL ? nearest : "",
             nearest != NULL ? "\"" : "");
    return 1; /* go on: all mistakes are reported at once */
}

/* inih asks for a line at a time, so the number of the line at hand is known here. It would take
 * the rest of a line that does not fit for another line, and an indented one for more of the value
 * before it: neither may happen unnoticed. */
static char *next_line(char *out, int size, void *ctx)
{
    p3_reader *r = ctx;
    int len = 0;
    bool cut = false;
    int c = getc(r->file);
    r->line++;
    while (c == ' ' || c == '\t')
        c = getc(r->file);
    if (c == EOF) {
        r->error = ferror(r->file) != 0 ? errno : 0;
        return NULL;
    }
    for (; c != EOF && c != '\n'; c = getc(r->file)) {
        if (len < size - 2)
            out[len++] = (char)c;
        else
            cut = true;
    }
    if (cut) {
        char most[16];
        snprintf(most, sizeof most, "%d", size - 2);
        (void)mistake(
            r, "this line is too long, put a long command into a script; octets that fit: ", most,
            NULL);
        len = 0;
    }
    out[len] = '\n';
    out[len + 1] = '\0';
    return out;
}

static p3_settings *begin_account(p3_reader *r, const char *name)
{
    p3_config *c = r->config;
    if (c->count == r->cap) {
        size_t cap = r->cap == 0 ? 16 : r->cap * 2;
        p3_settings *accounts = realloc(c->accounts, cap * sizeof *accounts);
        if (accounts == NULL)
            return NULL;
        c->accounts = accounts;
        char **parents = realloc(r->parents, cap * sizeof *parents);
        if (parents == NULL)
            return NULL;
        r->parents = parents;
        r->cap = cap;
    }
    r->parents[c->count] = NULL;
    p3_settings *account = &c->accounts[c->count];
    *account = (p3_settings){.name = strdup(name)};
    if (account->name != NULL && p3_name_index_add(&c->names, account->name, c->count)) {
        c->count++;
        return account;
    }
    free(account->name);
    return NULL;
}

/* Settings of the whole run, which stand at the top. */
static char **find_general(p3_config *c, const char *name)
{
    if (strcmp(name, "state") == 0)
        return &c->state;
    if (strcmp(name, "jobs") == 0)
        return &c->jobs;
    if (strcmp(name, "per-host") == 0)
        return &c->per_host;
    if (strcmp(name, "sandbox") == 0)
        return &c->sandbox;
    return strcmp(name, "every") == 0 ? &c->every : NULL;
}

static int take_general(p3_reader *r, char **at, const char *section, const char *name,
                        const char *value)
{
    if (section[0] != '\0')
        return mistake(r, "this belongs at the top, before the first account: ", name, NULL);
    if (at == &r->config->sandbox && !p3_value_is_yes(value) && !p3_value_is_no(value))
        return mistake(r, "sandbox: yes or no is expected, not ", value, NULL);
    free(*at);
    *at = strdup(value);
    return *at != NULL;
}

static int take_setting(p3_reader *r, p3_settings *s, const char *name, const char *value)
{
    p3_problem why;
    const p3_setting *which = p3_setting_find(name);
    if (which == NULL)
        return mistake(r, "there is no setting ", name, p3_setting_nearest(name));
    r->has_secret = r->has_secret || which->is_secret ||
                    (strcmp(name, "url") == 0 && p3_url_has_password(value));
    if (!p3_setting_set(s, which, value, &why))
        return why.exit == EX_OSERR ? 0 : mistake(r, why.text, "", NULL);
    return 1;
}

static int take_line(void *ctx, const char *section, const char *name, const char *value)
{
    p3_reader *r = ctx;
    p3_config *c = r->config;
    p3_settings *s = &c->defaults;
    if (section[0] != '\0') {
        bool same = c->count > 0 && strcmp(c->accounts[c->count - 1].name, section) == 0;
        if (!same && p3_name_index_find(&c->names, section) != NULL)
            return mistake(r, "a second section of the same name: ", section, NULL);
        s = same ? &c->accounts[c->count - 1] : begin_account(r, section);
        if (s == NULL)
            return 0;
    }
    char **general = find_general(c, name);
    if (general != NULL)
        return take_general(r, general, section, name, value);
    if (strcmp(name, "inherit") != 0)
        return take_setting(r, s, name, value);
    if (section[0] == '\0')
        return mistake(r, "only accounts inherit", "", NULL);
    free(r->parents[c->count - 1]);
    r->parents[c->count - 1] = strdup(value);
    return r->parents[c->count - 1] != NULL;
}

/* The account that one inherits from is NULL when there is none. */
static bool find_parent(p3_reader *r, size_t i, p3_settings **parent, p3_problem *why)
{
    p3_config *c = r->config;
    *parent = NULL;
    if (r->parents[i] == NULL)
        return true;
    const size_t *place = p3_name_index_find(&c->names, r->parents[i]);
    if (place == NULL)
        return p3_problem_set(why, EX_CONFIG, "%s: [%s] inherits from %s, which is not there",
                              c->path, c->accounts[i].name, r->parents[i]);
    *parent = &c->accounts[*place];
    return true;
}

/* What is known of an account while they are filled in. */
typedef enum p3_filling { P3_BARE, P3_UNDER_WAY, P3_FILLED } p3_filling;

/* Fills an account in from the one it inherits from, which is filled in before, and from the
 * defaults. `chain` has room for all of them. */
static bool fill_in(p3_reader *r, size_t i, p3_filling *fillings, size_t *chain, p3_problem *why)
{
    p3_config *c = r->config;
    p3_settings *parent = NULL;
    size_t depth = 0;
    for (size_t at = i; fillings[at] != P3_FILLED; at = (size_t)(parent - c->accounts)) {
        if (fillings[at] == P3_UNDER_WAY)
            return p3_problem_set(why, EX_CONFIG, "%s: [%s] inherits from itself", c->path,
                                  c->accounts[i].name);
        fillings[at] = P3_UNDER_WAY;
        chain[depth++] = at;
        if (!find_parent(r, at, &parent, why))
            return false;
        if (parent == NULL)
            break;
    }
    while (depth > 0) {
        size_t at = chain[--depth];
        if (!find_parent(r, at, &parent, why))
            return false;
        if ((parent != NULL && !p3_settings_inherit(&c->accounts[at], parent)) ||
            !p3_settings_inherit(&c->accounts[at], &c->defaults))
            return p3_problem_set(why, EX_OSERR, "out of memory");
        fillings[at] = P3_FILLED;
    }
    return true;
}

static bool fill_all_in(p3_reader *r, p3_problem *why)
{
    size_t count = r->config->count;
    p3_filling *fillings = calloc(count + 1, sizeof *fillings);
    size_t *chain = calloc(count + 1, sizeof *chain);
    bool ok = (fillings != NULL && chain != NULL) || p3_problem_set(why, EX_OSERR, "out of memory");
    for (size_t i = 0; ok && i < count; i++)
        ok = fill_in(r, i, fillings, chain, why);
    free(fillings);
    free(chain);
    return ok;
}

static bool check_mode(const p3_reader *r, p3_problem *why)
{
    return !r->has_secret ||
           p3_private_file_check(fileno(r->file), r->config->path, "reading the password in", why);
}

static bool read_lines(p3_reader *r, p3_problem *why)
{
    int bad = ini_parse_stream(next_line, r, take_line, r);
    if (bad > 0) {
        r->line = bad;
        (void)mistake(r, "this line is neither a [section] nor NAME = VALUE", "", NULL);
    }
    if (r->error != 0)
        return p3_problem_errno(why, r->error, "reading %s", r->config->path);
    if (bad < 0)
        return p3_problem_set(why, EX_OSERR, "reading %s: out of memory", r->config->path);
    if (r->mistakes > 0)
        return p3_problem_set(why, EX_CONFIG, "%s: %d mistake%s, see pop3-config(5)",
                              r->config->path, r->mistakes, r->mistakes > 1 ? "s" : "");
    return check_mode(r, why);
}

bool p3_config_read(p3_config *c, const char *path, bool must, p3_problem *why)
{
    *c = (p3_config){0};
    p3_reader r = {.config = c};
    c->path = path != NULL ? strdup(path) : p3_home_path("XDG_CONFIG_HOME", ".config", "config");
    if (c->path == NULL)
        return p3_problem_set(why, EX_CONFIG, "HOME is not set");
    r.file = fopen(c->path, "re");
    if (r.file == NULL && errno == ENOENT && !must)
        return true;
    if (r.file == NULL && errno == ENOENT)
        return p3_problem_set(why, EX_CONFIG,
                              "there is no configuration file %s; `pop3 setup ADDRESS` writes one",
                              c->path);
    if (r.file == NULL)
        return p3_problem_errno(why, errno, "reading %s", c->path);
    bool ok = read_lines(&r, why) && fill_all_in(&r, why);
    for (size_t i = 0; i < c->count; i++)
        free(r.parents[i]);
    free(r.parents);
    (void)fclose(r.file);
    return ok;
}

p3_settings *p3_config_find(p3_config *c, const char *name, p3_problem *why)
{
    const char *nearest = NULL;
    const size_t *place = p3_name_index_find(&c->names, name);
    if (place != NULL)
        return &c->accounts[*place];
    size_t least = strlen(name) / 3 + 2;
    for (size_t i = 0; i < c->count; i++) {
        size_t d = p3_word_distance(name, c->accounts[i].name);
        if (d < least) {
            least = d;
            nearest = c->accounts[i].name;
        }
    }
    p3_problem_set(why, EX_USAGE, "there is no account %s in %s%s%s", name, c->path,
                   nearest != NULL ? "; perhaps you mean " : "", nearest != NULL ? nearest : "");
    return NULL;
}

void p3_config_free(p3_config *c)
{
    p3_settings_free(&c->defaults);
    p3_name_index_free(&c->names);
    for (size_t i = 0; i < c->count; i++)
        p3_settings_free(&c->accounts[i]);
    free(c->accounts);
    free(c->path);
    free(c->state);
    free(c->jobs);
    free(c->per_host);
    free(c->every);
    free(c->sandbox);
    *c = (p3_config){0};
}

/* The configuration file, read with inih. */
#include "settings/config.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "settings/private_file.h"
#include "settings/text.h"
#include "settings/values.h"
#include "support/input.h"

/* Maximum octets of a file, and of a line. */
#define P3_CONFIG_MOST ((size_t)32 << 20)
#define P3_LINE_MOST   ((size_t)1 << 20)

/* Errors that are reported; a file with more is probably another file. */
#define P3_MISTAKES_TOLD 20

/* Replaces a value that does not fit into inih's buffer. */
#define P3_STAND_IN "\x01"

/* The state of reading. */
typedef struct p3_reader {
    p3_config *config;
    p3_mistake_fn told;
    p3_input in; /* the file, and how much of it has been read */
    size_t at;
    int number; /* of the last line */
    int mistakes;
    bool has_secret;
    int rival_line; /* of the last section: the line that sets a second target; or 0 */
    const p3_setting *rivals[2];
    const char *long_value; /* in the last line: the value that was replaced for inih; or NULL */
} p3_reader;

char *p3_home_path(const char *variable, const char *fallback, const char *file)
{
    const char *set = getenv(variable);
    const char *home = getenv("HOME");
    if (set != NULL && set[0] == '/')
        return p3_text_join(set, "/pop3/", file, NULL);
    return home != NULL ? p3_text_join(home, "/", fallback, "/pop3/", file, NULL) : NULL;
}

__attribute__((format(printf, 2, 3))) static int mistake(p3_reader *r, const char *format, ...)
{
    char text[sizeof((p3_problem *)NULL)->text];
    va_list values;
    va_start(values, format);
    (void)vsnprintf(text, sizeof text, format, values);
    va_end(values);
    if (r->mistakes++ >= P3_MISTAKES_TOLD)
        return 1;
    r->told(r->config->path, r->number, text);
    return 1; /* continue: all errors are reported at once */
}

/* Finds the end of a name, or the beginning of a comment: a semicolon after a blank. */
static char *find_end(char *text, const char *ends)
{
    char before = '\0';
    for (; *text != '\0' && strchr(ends, *text) == NULL; before = *text++) {
        if (*text == ';' && (before == ' ' || before == '\t'))
            break;
    }
    return text;
}

/* Cuts a line that does not fit into inih's buffer: inih gets its name and the replacement. */
static void keep_long_value(p3_reader *r, char *line, char *out, size_t size)
{
    char *sign = find_end(line, "=:");
    char *value = *sign == '=' || *sign == ':' ? sign + 1 : NULL;
    int fits = (int)(sign - line) < (int)size - 8 ? (int)(sign - line) : (int)size - 8;
    if (*line == ';' || *line == '#') {
        memcpy(out, "\n", 2);
    } else if (*line == '[' || value == NULL) {
        snprintf(out, size, "%.*s\n", fits, line); /* inih reports what is wrong with it */
    } else {
        char *end = find_end(value, "");
        while (*value == ' ' || *value == '\t')
            value++;
        while (end > value && isspace((unsigned char)end[-1]))
            end--;
        *end = '\0';
        r->long_value = value;
        snprintf(out, size, "%.*s=" P3_STAND_IN "\n", fits, line);
    }
}

/* Takes the next line, which is terminated after its LF in place; NULL at the end, after an error
 * that makes the rest useless (a binary file may be endless), and after too many errors. */
static char *take_next(p3_reader *r, size_t *len)
{
    char *line = r->in.text + r->at;
    const char *lf = memchr(line, '\n', r->in.len - r->at);
    *len = lf != NULL ? (size_t)(lf - line) : r->in.len - r->at;
    bool is_text = memchr(line, '\0', *len) == NULL;
    if (!is_text || *len > P3_LINE_MOST)
        (void)mistake(r, is_text ? "this line is too long" : P3_INPUT_NUL);
    if (r->at == r->in.len || !is_text || *len > P3_LINE_MOST || r->mistakes > P3_MISTAKES_TOLD)
        return NULL;
    r->at += *len + (lf != NULL);
    line[*len] = '\0';
    return line;
}

/* inih requests one line at a time, so the number of the current line is known here. inih would
 * take the rest of a long line for another line, and an indented line for more of the previous
 * value: neither may happen. */
static char *next_line(char *out, int size, void *ctx)
{
    p3_reader *r = ctx;
    r->number++;
    r->long_value = NULL;
    size_t len;
    char *line = take_next(r, &len);
    if (line == NULL)
        return NULL;
    len -= strspn(line, " \t");
    line += strspn(line, " \t");
    if (*line == '[' && strcspn(line + 1, "]") > P3_ACCOUNT_NAME_MOST) {
        (void)mistake(r, "the name of an account has at most %d octets", P3_ACCOUNT_NAME_MOST);
        memcpy(out, "\n", 2);
    } else if (len + 1 < (size_t)size) {
        memcpy(out, line, len);
        memcpy(out + len, "\n", 2);
    } else {
        keep_long_value(r, line, out, (size_t)size);
    }
    return out;
}

/* A section has ended: if it sets two targets, it must have `deliver`. */
static void end_section(p3_reader *r)
{
    p3_config *c = r->config;
    const p3_settings *s = c->count > 0 ? &c->accounts[c->count - 1] : &c->defaults;
    int line = r->number;
    p3_problem why;
    if (r->rival_line != 0 && !s->is_set[P3_SETTING_DELIVER]) {
        r->number = r->rival_line;
        (void)p3_settings_say_rivals(r->rivals[0], r->rivals[1], &why);
        (void)mistake(r, "%s", why.text);
        r->number = line;
    }
    r->rival_line = 0;
}

static p3_settings *begin_account(p3_reader *r, const char *name)
{
    p3_config *c = r->config;
    end_section(r);
    bool is_full = c->count == 0 || (c->count >= 16 && (c->count & (c->count - 1)) == 0);
    if (is_full) {
        size_t cap = c->count == 0 ? 16 : c->count * 2;
        p3_settings *accounts = realloc(c->accounts, cap * sizeof *accounts);
        if (accounts == NULL)
            return NULL;
        c->accounts = accounts;
    }
    p3_settings *account = &c->accounts[c->count];
    *account = (p3_settings){.name = strdup(name)};
    if (account->name != NULL && p3_name_index_add(&c->names, account->name, c->count)) {
        c->count++;
        return account;
    }
    free(account->name);
    return NULL;
}

static int take_setting(p3_reader *r, p3_settings *s, const char *name, const char *value)
{
    p3_problem why;
    const p3_setting *which = p3_setting_find(name, P3_PLACE_FILE);
    bool is_default = s == &r->config->defaults;
    if (which == NULL) {
        const char *nearest = p3_setting_nearest(name, P3_PLACE_FILE);
        return mistake(r, "there is no setting %s%s%s%s", name,
                       nearest != NULL ? "; perhaps you mean \"" : "",
                       nearest != NULL ? nearest : "", nearest != NULL ? "\"" : "");
    }
    if (which->scope == P3_SCOPE_RUN && !is_default)
        return mistake(r, "this belongs at the top, before the first account: %s", name);
    if (which->is_own && is_default)
        return mistake(r, "only accounts inherit");
    if (!p3_setting_set(s, &r->config->run, which, value, &why))
        return why.exit == EX_OSERR ? 0 : mistake(r, "%s", why.text);
    const p3_setting *rival = p3_settings_rival(s, which);
    if (rival != NULL && r->rival_line == 0) {
        r->rival_line = r->number;
        r->rivals[0] = rival;
        r->rivals[1] = which;
    }
    if (which->type == P3_TYPE_DELIVER)
        s->deliver.line = r->number;
    r->has_secret = r->has_secret || which->is_secret || s->url.password != NULL;
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
            return mistake(r, "a second section of the same name: %s", section);
        s = same ? &c->accounts[c->count - 1] : begin_account(r, section);
        if (s == NULL)
            return 0;
    }
    return take_setting(r, s, name, r->long_value != NULL ? r->long_value : value);
}

/* The account to inherit from, or NULL. */
static bool find_parent(p3_reader *r, size_t i, p3_settings **parent, p3_problem *why)
{
    p3_config *c = r->config;
    *parent = NULL;
    const char *name = c->accounts[i].inherit;
    if (name == NULL)
        return true;
    const size_t *place = p3_name_index_find(&c->names, name);
    if (place == NULL)
        return p3_problem_set(why, EX_CONFIG, "%s: [%s] inherits from %s, which does not exist",
                              c->path, c->accounts[i].name, name);
    *parent = &c->accounts[*place];
    return true;
}

/* The state of an account while accounts are filled in. */
typedef enum p3_filling { P3_BARE, P3_UNDER_WAY, P3_FILLED } p3_filling;

/* Fills in an account from the one it inherits from, which is filled in first, and from the
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
            return p3_problem_memory(why);
        fillings[at] = P3_FILLED;
    }
    return true;
}

static bool tell_mistakes(const p3_reader *r, p3_problem *why)
{
    bool many = r->mistakes > P3_MISTAKES_TOLD;
    return p3_problem_set(why, EX_CONFIG, "%s: %s%d error%s, see pop3-config(5)", r->config->path,
                          many ? "more than " : "", many ? P3_MISTAKES_TOLD : r->mistakes,
                          r->mistakes > 1 ? "s" : "");
}

/* Checks that the targets in `deliver` are set. */
static bool check_targets(p3_reader *r, const p3_settings *account)
{
    const p3_setting *lacks = p3_settings_lack(account);
    r->number = account->deliver.line;
    if (lacks != NULL)
        (void)mistake(r, "deliver: %s is not set in [%s]", lacks->name, account->name);
    return lacks == NULL;
}

static bool fill_all_in(p3_reader *r, p3_problem *why)
{
    size_t count = r->config->count;
    p3_filling *fillings = calloc(count + 1, sizeof *fillings);
    size_t *chain = calloc(count + 1, sizeof *chain);
    bool ok = (fillings != NULL && chain != NULL) || p3_problem_memory(why);
    bool lacks = false;
    for (size_t i = 0; ok && i < count; i++) {
        ok = fill_in(r, i, fillings, chain, why);
        lacks = ok && (!check_targets(r, &r->config->accounts[i]) || lacks);
    }
    if (lacks)
        ok = tell_mistakes(r, why);
    free(fillings);
    free(chain);
    return ok;
}

static bool parse(p3_reader *r, int fd, p3_problem *why)
{
    int bad = ini_parse_stream(next_line, r, take_line, r);
    end_section(r);
    if (bad > 0) {
        r->number = bad;
        (void)mistake(r, "this line is neither a [section] nor NAME = VALUE");
    }
    if (bad < 0)
        return p3_problem_set(why, EX_OSERR, "reading %s: out of memory", r->config->path);
    if (r->mistakes > 0)
        return tell_mistakes(r, why);
    return (!r->has_secret ||
            p3_private_file_check(fd, r->config->path, "reading the password in", why)) &&
           fill_all_in(r, why);
}

bool p3_config_read(p3_config *c, const char *path, bool must, p3_mistake_fn told, p3_problem *why)
{
    *c = (p3_config){0};
    p3_reader r = {.config = c, .told = told};
    c->path = path != NULL ? strdup(path) : p3_home_path("XDG_CONFIG_HOME", ".config", "config");
    if (c->path == NULL)
        return p3_problem_set(why, EX_CONFIG,
                              "HOME is not set: name the configuration with --config");
    int fd = p3_input_open(c->path);
    if (fd < 0 && errno == ENOENT && !must)
        return true;
    if (fd < 0 && errno == ENOENT)
        return p3_problem_set(why, EX_CONFIG,
                              "there is no configuration file %s; `pop3 setup ADDRESS` writes one; "
                              "without one, name the server by its URL, pop3s://USER@HOST/",
                              c->path);
    bool came = fd >= 0 && p3_input_read(fd, P3_CONFIG_MOST, false, &r.in);
    bool ok = came ? parse(&r, fd, why) : p3_input_problem(why, errno, "reading", c->path);
    p3_input_free(&r.in); /* it may have contained a password */
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

p3_settings *p3_config_find(p3_config *c, const char *name, p3_problem *why)
{
    const char *nearest = NULL;
    const size_t *place = p3_name_index_find(&c->names, name);
    if (place != NULL)
        return &c->accounts[*place];
    size_t least = p3_word_reach(name);
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

void p3_config_forget_accounts(p3_config *c)
{
    p3_name_index_free(&c->names);
    for (size_t i = 0; i < c->count; i++)
        p3_settings_free(&c->accounts[i]);
    free(c->accounts);
    c->accounts = NULL;
    c->count = 0;
}

void p3_config_free(p3_config *c)
{
    p3_settings_free(&c->defaults);
    p3_config_forget_accounts(c);
    p3_run_settings_free(&c->run);
    free(c->path);
    *c = (p3_config){0};
}

/* Reads a script and makes statements of its words. Everything that can be wrong with a script is
 * found before the server listens. */
#define _POSIX_C_SOURCE 200809L
#include "script.h"
#include "script_args.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NESTING_MAX = 16,
};

struct parser {
    struct words_reader reader;
    struct script *script;
    const struct tls_settings *settings;
    bool have_mail;
    size_t open[NESTING_MAX]; /* the REPEATs, LOOPs and ONs that wait for their END */
    size_t n_open;
    bool inside_on; /* one of those is an ON */
};

static void complain(const struct parser *p, const struct statement *st, const char *what)
{
    script_complain(p->script->name, st->line, "%s", what);
}

static bool close_block(struct parser *p, struct statement *st)
{
    if (p->n_open == 0) {
        complain(p, st, "an end without repeat, loop or on");
        return false;
    }
    size_t at = p->open[--p->n_open];
    struct script *script = p->script;
    script->statements[at].end = (size_t)(st - script->statements);
    if (script->statements[at].kind == DO_ON) {
        p->inside_on = false;
    }
    if (script->statements[at].kind == DO_LOOP) {
        /* Only a statement that talks to the client can see that it has gone. */
        for (size_t i = at + 1; i < script->statements[at].end; i++) {
            if (script->statements[i].kind <= DO_CAPA || script->statements[i].kind == DO_SERVE) {
                return true;
            }
        }
        complain(p, st, "a loop that neither sends nor expects would never end");
        return false;
    }
    return true;
}

static bool check(struct parser *p, struct statement *st, const char *name)
{
    if (!script_args(st, name, p->script->name, p->settings)) {
        return false;
    }
    switch (st->kind) {
    case DO_SERVE:
        if (p->inside_on) {
            complain(p, st, "serve cannot be inside of on");
        } else if (!p->have_mail) {
            complain(p, st, "serve needs --mail");
        }
        return p->have_mail && !p->inside_on;
    case DO_ANSWER:
        if (!p->inside_on) {
            complain(p, st, "answer is for the inside of on");
        }
        return p->inside_on;
    case DO_ON:
        if (p->n_open > 0) {
            complain(p, st, "on cannot be inside of another block");
            return false;
        }
        p->inside_on = true;
        p->open[p->n_open++] = (size_t)(st - p->script->statements);
        return true;
    case DO_REPEAT:
    case DO_LOOP:
        if (p->n_open == NESTING_MAX) {
            complain(p, st, "blocks are nested too deeply");
            return false;
        }
        p->open[p->n_open++] = (size_t)(st - p->script->statements);
        return true;
    case DO_END:
        return close_block(p, st);
    default:
        return true;
    }
}

static struct statement *add_statement(struct script *script, unsigned line)
{
    struct statement *grown =
        realloc(script->statements, (script->n + 1) * sizeof *script->statements);
    if (grown == NULL) {
        return NULL;
    }
    script->statements = grown;
    struct statement *st = &script->statements[script->n++];
    memset(st, 0, sizeof *st);
    st->line = line;
    return st;
}

static bool add_text(struct statement *st, struct text text)
{
    struct text *grown = realloc(st->texts, (st->n_texts + 1) * sizeof *grown);
    if (grown == NULL) {
        free(text.data);
        return false;
    }
    st->texts = grown;
    st->texts[st->n_texts++] = text;
    return true;
}

/* Takes the words of one statement: the first is its name. */
static bool finish(struct parser *p, struct statement *st)
{
    struct text name = st->texts[0];
    st->n_texts--;
    memmove(&st->texts[0], &st->texts[1], st->n_texts * sizeof *st->texts);
    bool ok = check(p, st, name.data);
    free(name.data);
    return ok;
}

static bool parse(struct parser *p)
{
    struct script *script = p->script;
    struct statement *st = NULL; /* the one being read */
    for (;;) {
        struct text text;
        unsigned line = p->reader.line;
        enum word_kind kind = words_next(&p->reader, &text);
        if (kind == WORD_BAD) {
            return false;
        }
        if (kind == WORD_TEXT) {
            if (st == NULL) {
                st = add_statement(script, line);
            }
            if (st == NULL || !add_text(st, text)) {
                script_complain(script->name, line, "out of memory");
                return false;
            }
            continue;
        }
        bool opens = st != NULL && (strcmp(st->texts[0].data, "repeat") == 0 ||
                                    strcmp(st->texts[0].data, "loop") == 0 ||
                                    strcmp(st->texts[0].data, "on") == 0);
        if (kind == WORD_OPEN && !opens) {
            script_complain(script->name, line, "a { without repeat, loop or on");
            return false;
        }
        if (st != NULL && !finish(p, st)) {
            return false;
        }
        st = NULL;
        if (kind == WORD_CLOSE) {
            struct statement *end = add_statement(script, line);
            if (end == NULL || !check(p, end, "end")) {
                return false;
            }
        }
        if (kind == WORD_OVER) {
            break;
        }
    }
    if (p->n_open > 0) {
        complain(p, &script->statements[p->open[p->n_open - 1]], "this block has no end");
        return false;
    }
    return true;
}

/* ---- files ---- */

static char *read_all(const char *name, size_t *len)
{
    bool is_stdin = strcmp(name, "-") == 0;
    FILE *stream = is_stdin ? stdin : fopen(name, "re");
    char *data = NULL;
    size_t room = 0;
    *len = 0;
    if (stream == NULL) {
        goto fail;
    }
    do {
        room = room == 0 ? 16384 : 2 * room;
        char *grown = realloc(data, room);
        if (grown == NULL) {
            goto fail;
        }
        data = grown;
        *len += fread(data + *len, 1, room - *len, stream);
    } while (*len == room);
    if (ferror(stream)) {
        goto fail;
    }
    if (!is_stdin) {
        (void)fclose(stream); /* it was only read */
    }
    return data;
fail:
    (void)fprintf(stderr, "pop3-testserver: %s: %s\n", name, strerror(errno));
    if (stream != NULL && !is_stdin) {
        (void)fclose(stream);
    }
    free(data);
    return NULL;
}

struct script *script_read(const char *name, const struct tls_settings *settings, bool have_mail)
{
    struct parser p = {.settings = settings, .have_mail = have_mail};
    size_t len = 0;
    char *data = read_all(name, &len);
    bool ok = false;
    if (data == NULL) {
        return NULL;
    }
    p.script = calloc(1, sizeof *p.script);
    if (p.script == NULL) {
        goto out;
    }
    p.script->name = strdup(name);
    if (p.script->name == NULL) {
        goto out;
    }
    p.reader = (struct words_reader){p.script->name, data, data + len, 1};
    ok = parse(&p);
out:
    free(data);
    if (!ok) {
        script_free(p.script);
        return NULL;
    }
    return p.script;
}

void script_free(struct script *script)
{
    if (script == NULL) {
        return;
    }
    for (size_t i = 0; i < script->n; i++) {
        struct statement *st = &script->statements[i];
        for (size_t k = 0; k < st->n_texts; k++) {
            free(st->texts[k].data);
        }
        free(st->texts);
        free(st->numbers);
        tls_context_free(st->tls);
    }
    free(script->statements);
    free(script->name);
    free(script);
}

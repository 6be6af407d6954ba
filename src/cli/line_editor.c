/* Reads lines from a terminal, through libedit. */
#include "cli/line_editor.h"

#include <histedit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "settings/config.h"
#include "cli/output.h"
#include "optional/library.h"

#define P3_HISTORY_LINES 500

struct p3_line_editor {
    const char *prompt;
    const char *(*word)(size_t i);
    EditLine *edit; /* NULL: without libedit */
    History *past;
    char *file; /* the file of the history, or NULL */
    char *line; /* without libedit: a line of up to `size` octets */
    size_t size;
};

static struct {
    __typeof__(el_init) *init;
    __typeof__(el_end) *end;
    __typeof__(el_set) *set;
    __typeof__(el_get) *get;
    __typeof__(el_gets) *gets;
    __typeof__(el_line) *line;
    __typeof__(el_insertstr) *insertstr;
    __typeof__(el_source) *source;
    __typeof__(history) *history;
    __typeof__(history_init) *history_init;
    __typeof__(history_end) *history_end;
} el;

static const p3_symbol symbols[] = {
    {"el_init", &el.init},
    {"el_end", &el.end},
    {"el_set", &el.set},
    {"el_get", &el.get},
    {"el_gets", &el.gets},
    {"el_line", &el.line},
    {"el_insertstr", &el.insertstr},
    {"el_source", &el.source},
    {"history", &el.history},
    {"history_init", &el.history_init},
    {"history_end", &el.history_end},
};

static p3_library library = P3_LIBRARY(P3_EDIT_SONAME, symbols);
P3_LIBRARY_NOTE(edit_note, "edit", P3_EDIT_SONAME, "line editing in pop3 shell");

static p3_line_editor *editor_of(EditLine *edit)
{
    void *e = NULL;
    (void)el.get(edit, EL_CLIENTDATA, &e);
    return e;
}

static const char *prompt_of(EditLine *edit)
{
    return editor_of(edit)->prompt;
}

/* Completes the first word if that is unambiguous, otherwise lists the possibilities. */
static unsigned char complete(EditLine *edit, int key)
{
    const p3_line_editor *e = editor_of(edit);
    const LineInfo *line = el.line(edit);
    const char *only = NULL;
    const char *word;
    size_t ways = 0;
    size_t len = (size_t)(line->cursor - line->buffer);
    (void)key;
    if (memchr(line->buffer, ' ', len) != NULL)
        return CC_ERROR;
    for (size_t i = 0; (word = e->word(i)) != NULL; i++) {
        if (strncasecmp(word, line->buffer, len) == 0) {
            only = word;
            ways++;
        }
    }
    if (ways == 1 && el.insertstr(edit, only + len) == 0 && el.insertstr(edit, " ") == 0)
        return CC_REFRESH;
    for (size_t i = 0; ways > 1 && (word = e->word(i)) != NULL; i++) {
        if (strncasecmp(word, line->buffer, len) == 0)
            p3_print(stdout, "\n%s", word);
    }
    if (ways < 2)
        return CC_ERROR;
    p3_print(stdout, "\n");
    return CC_REDISPLAY;
}

static void prepare(p3_line_editor *e)
{
    HistEvent event;
    el.history(e->past, &event, H_SETSIZE, P3_HISTORY_LINES);
    if (e->file != NULL)
        el.history(e->past, &event, H_LOAD, e->file);
    el.set(e->edit, EL_CLIENTDATA, e);
    el.set(e->edit, EL_PROMPT, prompt_of);
    el.set(e->edit, EL_EDITOR, "emacs");
    el.set(e->edit, EL_SIGNAL, 1);
    el.set(e->edit, EL_HIST, el.history, e->past);
    el.set(e->edit, EL_ADDFN, "complete", "complete a command", complete);
    el.set(e->edit, EL_BIND, "^I", "complete", NULL);
    el.source(e->edit, NULL);
}

p3_line_editor *p3_line_editor_open(const char *prompt, const char *(*word)(size_t i))
{
    p3_line_editor *e = calloc(1, sizeof *e);
    if (e == NULL)
        return NULL;
    e->prompt = prompt;
    e->word = word;
    if (!p3_library_load(&library))
        return e;
    e->file = p3_home_path("XDG_STATE_HOME", ".local/state", "history");
    e->past = el.history_init();
    if (e->past != NULL)
        e->edit = el.init("pop3", stdin, stdout, stderr);
    if (e->edit != NULL)
        prepare(e);
    return e;
}

const char *p3_line_editor_read(p3_line_editor *e)
{
    int count = 0;
    int edits = 0;
    if (e->edit == NULL) {
        p3_print(stdout, "%s", e->prompt);
        (void)fflush(stdout);
        return getline(&e->line, &e->size, stdin) > 0 ? e->line : NULL;
    }
    /* el_gets() prints the prompt and sets up the terminal then: before that the terminal itself
     * would interpret a Ctrl-D, as an end of input that is lost when it is read. */
    if (el.get(e->edit, EL_EDITMODE, &edits) == 0 && edits != 0)
        el.set(e->edit, EL_PREP_TERM, 1);
    const char *line = el.gets(e->edit, &count);
    if (line == NULL || count <= 0)
        return NULL;
    HistEvent event;
    if (line[0] != '\n')
        el.history(e->past, &event, H_ENTER, line);
    return line;
}

/* Writes a line like strvis(3): special characters become \\ooo. */
static void put_encoded(const char *text, FILE *to)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c > ' ' && c < 0x7f && c != '\\')
            (void)putc(c, to);
        else
            (void)fprintf(to, "\\%03o", c);
    }
    (void)putc('\n', to);
}

/* Does the same as H_SAVE, without its fchmod(2), which the sandbox refuses: the file exists with
 * mode 0600. */
static void save_history(p3_line_editor *e)
{
    HistEvent event;
    FILE *to = fopen(e->file, "we");
    if (to == NULL)
        return;
    (void)fputs("_HiStOrY_V2_\n", to);
    for (int n = el.history(e->past, &event, H_LAST); n != -1;
         n = el.history(e->past, &event, H_PREV))
        put_encoded(event.str, to);
    (void)fclose(to);
}

void p3_line_editor_close(p3_line_editor *e)
{
    if (e == NULL)
        return;
    if (e->edit != NULL && e->file != NULL)
        save_history(e);
    if (e->edit != NULL)
        el.end(e->edit);
    if (e->past != NULL)
        el.history_end(e->past);
    free(e->file);
    free(e->line);
    free(e);
}

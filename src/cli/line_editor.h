/* Reading lines at a terminal: with editing, history and completion where libedit is there. */
#ifndef P3_CLI_LINE_EDITOR_H
#define P3_CLI_LINE_EDITOR_H

#include <stddef.h>

typedef struct p3_line_editor p3_line_editor;

/* Begins. `word(i)` gives the words that complete a line's first one, NULL behind the last. */
p3_line_editor *p3_line_editor_open(const char *prompt, const char *(*word)(size_t i));

/* The next line, with its line end; NULL at the end of the input. Stays until the next call. */
const char *p3_line_editor_read(p3_line_editor *e);

/* Ends, and keeps the history. NULL does nothing. */
void p3_line_editor_close(p3_line_editor *e);

#endif

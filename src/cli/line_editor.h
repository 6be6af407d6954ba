/* Reads lines from a terminal, with editing, history and completion if libedit is available. */
#ifndef P3_CLI_LINE_EDITOR_H
#define P3_CLI_LINE_EDITOR_H

#include <stddef.h>

typedef struct p3_line_editor p3_line_editor;

/* Opens the editor. `word(i)` returns the words that complete the first word of a line, NULL after
 * the last. */
p3_line_editor *p3_line_editor_open(const char *prompt, const char *(*word)(size_t i));

/* The next line, with its line end; NULL at the end of the input. Valid until the next call. */
const char *p3_line_editor_read(p3_line_editor *e);

/* Closes it, and stores the history. NULL does nothing. */
void p3_line_editor_close(p3_line_editor *e);

#endif

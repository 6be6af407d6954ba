/* Tables for the terminal. */
#ifndef P3_CLI_TABLE_H
#define P3_CLI_TABLE_H

#include <stdbool.h>
#include <stdio.h>

typedef struct p3_column {
    const char *title;
    int width;  /* columns on the terminal; 0: shares the remaining width with the others of width 0
                 */
    bool right; /* align right, for numbers */
} p3_column;

/* The width of the terminal, or 0 if the output is not a terminal and nothing is cut. */
unsigned p3_table_terminal(FILE *out);

/* Sets the width of the columns with width 0. */
void p3_table_fit(p3_column *columns, size_t count, unsigned terminal);

/* Prints a line. Texts are UTF-8 without control characters; a text that is too long is cut between
 * characters, with an ellipsis. A width of 0 is not cut. */
void p3_table_row(FILE *out, const p3_column *columns, const char *const *texts, size_t count);

#endif

/* Tables that fit the terminal. */
#ifndef P3_CLI_TABLE_H
#define P3_CLI_TABLE_H

#include <stdbool.h>
#include <stdio.h>

typedef struct p3_column {
    const char *title;
    int width;  /* columns on the terminal; 0: shares what is left with the others of width 0 */
    bool right; /* numbers stand at the right */
} p3_column;

/* The width of the terminal, or 0 when the output is not one: then nothing is cut. */
unsigned p3_table_terminal(FILE *out);

/* Decides how wide the columns of width 0 are. */
void p3_table_fit(p3_column *columns, size_t count, unsigned terminal);

/* Prints a line. Texts are UTF-8 without control characters; what is too long is cut, with an
 * ellipsis, between characters. A width of 0 is not cut. */
void p3_table_row(FILE *out, const p3_column *columns, const char *const *texts, size_t count);

#endif

/* Lines: finds the end of a line in the input. A line that is completely in the input is returned
 * in place; one that is split is collected in a buffer of fixed size. */
#ifndef P3_CORE_LINE_H
#define P3_CORE_LINE_H

#include <pop3/types.h>

/* A line that is being collected. */
typedef struct p3_line {
    char *buffer; /* the start of a line that is not complete */
    size_t cap;   /* most octets of a line, including its end */
    size_t len;   /* octets in the buffer */
} p3_line;

typedef enum p3_line_result {
    P3_LINE_MORE,    /* the input is used up and the line is not complete */
    P3_LINE_READY,   /* a line is complete */
    P3_LINE_TOO_LONG /* the line is longer than cap */
} p3_line_result;

/* How a line ended. */
typedef struct p3_line_end {
    bool crlf;       /* CRLF; else a bare LF */
    bool leading_cr; /* a CR stood before the line, left over from the LF CR that ended the previous
                        one */
} p3_line_end;

/* Removes the end from a complete line, LF included. Servers send CRLF or LF. If one sends LF CR,
 * its CR is at the start of the next line, which then ends with a bare LF: that CR is removed as
 * well. */
pop3_str p3_line_strip(const char *data, size_t len, p3_line_end *how);

/* Returns false when out of memory. p3_line_free() undoes it. */
bool p3_line_init(p3_line *l, size_t cap);
void p3_line_free(p3_line *l);

/* Takes octets from [*p, end) up to the end of a line and advances *p. With P3_LINE_READY, *line is
 * the line without its end, valid until the next call and while the input is. */
p3_line_result p3_line_take(p3_line *l, const char **p, const char *end, pop3_str *line,
                            p3_line_end *how);

#endif

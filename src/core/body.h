/* The body of a RETR or TOP: finds stuffed dots and the end in a stream of octets that may be split
 * anywhere, and returns spans of the input, never a copy. */
#ifndef P3_CORE_BODY_H
#define P3_CORE_BODY_H

#include <pop3/types.h>

/* The position of the next octet in its line. */
typedef enum p3_body_place {
    P3_BODY_LINE_START, /* the next octet starts a line */
    P3_BODY_AFTER_LF,   /* with lf_cr: a CR that belongs to the last line's end may still come */
    P3_BODY_INSIDE,     /* inside a line */
    P3_BODY_DOT,        /* after a dot that started a line and was not returned */
    P3_BODY_DOT_CR      /* after such a dot and a CR, neither returned */
} p3_body_place;

/* Progress through one body. Initialize with p3_body_begin(). */
typedef struct p3_body {
    p3_body_place place;
    bool lf_cr;     /* the server ends lines with LF CR */
    bool begun;     /* with lf_cr: the status line's own CR has been skipped */
    bool last_cr;   /* the last chunk ended with a CR */
    bool line_crlf; /* the line before the current one ended with CRLF */
    bool end_crlf;  /* at the end: the dot was followed by CRLF */
} p3_body;

/* line_crlf: the status line ended with CRLF; lf_cr: it came with a CR left over from LF CR. */
void p3_body_begin(p3_body *b, bool line_crlf, bool lf_cr);

/* Takes octets from [*p, end), advances *p and sets *chunk to octets of the message (perhaps none).
 * Returns true when the body has ended: *p is behind its last octet. Otherwise call again while *p
 * is before end. A chunk is in the input or in static storage. */
bool p3_body_take(p3_body *b, const char **p, const char *end, pop3_str *chunk);

/* After the end: whether the last line stood between CRLFs. */
bool p3_body_ended_with_crlf(const p3_body *b);

#endif

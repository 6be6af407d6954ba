/* Splits a listing or a message into lines, many at a time, for callers that want lines instead of
 * octets. It works in place on contiguous input; an incomplete line stays where it is. */
#ifndef P3_CORE_SPLIT_H
#define P3_CORE_SPLIT_H

#include <pop3/types.h>

/* Progress through one listing or message. Zero it, then set lines, cap and longest. */
typedef struct p3_split {
    pop3_str *lines; /* receives lines without their ends, dot-stuffing undone */
    size_t cap;      /* room in `lines` */
    size_t count;    /* lines put there by the last call */
    size_t longest;  /* most octets of a line, its LF included */
    size_t scanned;  /* octets of the incomplete line without an LF, which are not searched again */
    uint64_t octets; /* of all lines so far, including their ends but not stuffed dots */
} p3_split;

typedef enum p3_split_result {
    P3_SPLIT_MORE,    /* no further line is complete: call again with more input after *p */
    P3_SPLIT_FULL,    /* no room for a further line: call again */
    P3_SPLIT_END,     /* the line that is only a dot has been taken */
    P3_SPLIT_TOO_LONG /* the line at *p has more than `longest` octets */
} p3_split_result;

/* Takes complete lines from [*p, end) and advances *p past the last one. The spans are valid as
 * long as the input. Each call fills `lines` from the start. */
p3_split_result p3_split_take(p3_split *s, const char **p, const char *end);

#endif

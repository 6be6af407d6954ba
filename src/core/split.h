/* Cuts a listing or a message into its lines, many at a time: for callers that want lines and not
 * octets. It works in place on whatever is contiguous; a line that is not complete stays where it
 * is. */
#ifndef P3_CORE_SPLIT_H
#define P3_CORE_SPLIT_H

#include <pop3/types.h>

/* Progress through one listing or message. Zero it, then set lines, cap and longest. */
typedef struct p3_split {
    pop3_str *lines; /* receives lines without their ends, dot-stuffing undone */
    size_t cap;      /* room in `lines` */
    size_t count;    /* lines put there by the last call */
    size_t longest;  /* most octets of a line, its LF included */
    size_t scanned;  /* octets of the incomplete line that hold no LF: not looked at again */
    uint64_t octets; /* of all lines so far, their ends included, stuffed dots not */
} p3_split;

typedef enum p3_split_result {
    P3_SPLIT_MORE,    /* no further line is complete: call again with more behind *p */
    P3_SPLIT_FULL,    /* no room for a further line: call again */
    P3_SPLIT_END,     /* the line that is a dot has been taken */
    P3_SPLIT_TOO_LONG /* the line at *p has more than `longest` octets */
} p3_split_result;

/* Takes complete lines from [*p, end) and advances *p behind the last one taken. The spans are
 * valid while the input is. Each call begins to fill `lines` anew. */
p3_split_result p3_split_take(p3_split *s, const char **p, const char *end);

#endif

/* The octets that wait to be sent. What has been sent, or moved, is wiped: it may hold a secret. */
#ifndef P3_CORE_OUTPUT_H
#define P3_CORE_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/* All zero is empty. */
typedef struct p3_output {
    char *data;
    size_t cap;
    size_t start; /* octets before it have been sent */
    size_t end;   /* octets before it are to be sent */
} p3_output;

/* Makes room for n octets and returns where they go, or NULL when out of memory. They count only
 * after p3_output_commit(). */
char *p3_output_reserve(p3_output *o, size_t n);
void p3_output_commit(p3_output *o, size_t n);

/* Drops the first n octets, n no more than what waits. */
void p3_output_sent(p3_output *o, size_t n);

void p3_output_free(p3_output *o);

static inline size_t p3_output_waiting(const p3_output *o)
{
    return o->end - o->start;
}

#endif

/* The octets that wait to be sent. */
#include "core/output.h"

#include "core/wipe.h"

#include <stdlib.h>
#include <string.h>

char *p3_output_reserve(p3_output *o, size_t n)
{
    if (o->cap - o->end >= n)
        return o->data + o->end;
    size_t waiting = p3_output_waiting(o);
    if (o->start >= o->cap / 2 && o->cap - waiting >= n) {
        /* There is at least as much room before the waiting octets: move them. */
        memcpy(o->data, o->data + o->start, waiting);
        p3_wipe(o->data + o->start, waiting);
        o->start = 0;
        o->end = waiting;
        return o->data + o->end;
    }
    size_t cap = o->cap < 512 ? 512 : o->cap;
    do {
        if (cap > (size_t)-1 / 2)
            return NULL;
        cap *= 2;
    } while (cap - waiting < n);
    char *data = malloc(cap); /* not realloc(), which would leave a copy unwiped */
    if (data == NULL)
        return NULL;
    if (waiting > 0)
        memcpy(data, o->data + o->start, waiting);
    p3_wipe_free(o->data, o->cap);
    *o = (p3_output){.data = data, .cap = cap, .end = waiting};
    return o->data + o->end;
}

void p3_output_commit(p3_output *o, size_t n)
{
    o->end += n;
}

void p3_output_sent(p3_output *o, size_t n)
{
    if (n == 0)
        return; /* there may be no buffer */
    p3_wipe(o->data + o->start, n);
    o->start += n;
    if (o->start == o->end)
        o->start = o->end = 0;
}

void p3_output_free(p3_output *o)
{
    p3_wipe_free(o->data, o->cap);
    *o = (p3_output){0};
}

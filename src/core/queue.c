/* The queue of commands: a ring of those in flight, followed by those that wait. */
#include "core/queue.h"

#include "core/wipe.h"

#include <stdlib.h>

p3_queued *p3_queue_at(const p3_queue *q, size_t i)
{
    return &q->ring[(q->head + i) & (q->cap - 1)];
}

static bool make_room(p3_queue *q)
{
    if (q->count < q->cap)
        return true;
    size_t cap = q->cap == 0 ? 8 : q->cap * 2;
    if (cap > SIZE_MAX / sizeof *q->ring)
        return false;
    p3_queued *ring = malloc(cap * sizeof *ring);
    if (ring == NULL)
        return false;
    for (size_t i = 0; i < q->count; i++)
        ring[i] = *p3_queue_at(q, i);
    free(q->ring);
    q->ring = ring;
    q->cap = cap;
    q->head = 0;
    return true;
}

bool p3_queue_push(p3_queue *q, const p3_queued *c)
{
    if (!make_room(q))
        return false;
    *p3_queue_at(q, q->count++) = *c;
    return true;
}

bool p3_queue_push_front(p3_queue *q, const p3_queued *c)
{
    if (!make_room(q))
        return false;
    q->head = (q->head - 1) & (q->cap - 1);
    q->count++;
    *p3_queue_at(q, 0) = *c;
    return true;
}

p3_queued p3_queue_pop(p3_queue *q)
{
    p3_queued first = *p3_queue_at(q, 0);
    q->head = (q->head + 1) & (q->cap - 1);
    q->count--;
    return first;
}

void p3_queued_clear(p3_queued *c)
{
    p3_wipe_free(c->text, c->text_len);
    c->text = NULL;
    c->text_len = 0;
}

void p3_queue_free(p3_queue *q)
{
    for (size_t i = 0; i < q->count; i++)
        p3_queued_clear(p3_queue_at(q, i));
    free(q->ring);
    *q = (p3_queue){0};
}

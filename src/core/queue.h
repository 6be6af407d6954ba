/* The queue of commands: a ring of those in flight, followed by those that wait. */
#ifndef P3_CORE_QUEUE_H
#define P3_CORE_QUEUE_H

#include <pop3/types.h>

/* A command in the queue. */
typedef struct p3_queued {
    pop3_command_kind kind;
    bool internal;   /* one of the engine's own, which causes no event */
    uint32_t number; /* message number, or 0 */
    uint32_t lines;  /* TOP */
    uint64_t octets; /* RETR: the size that LIST gave, or 0 */
    char *text;      /* argument as sent, owned, wiped when freed; NULL when there is none */
    size_t text_len;
    size_t sent; /* octets of its line; 0 until it is rendered */
    void *tag;
} p3_queued;

/* The ring. All zero is empty. */
typedef struct p3_queue {
    p3_queued *ring;
    size_t cap;   /* a power of two, or 0 */
    size_t head;  /* place of the first command */
    size_t count; /* commands in the ring */
} p3_queue;

/* Adds at the end / in front. False when out of memory; c->text then stays the caller's. */
bool p3_queue_push(p3_queue *q, const p3_queued *c);
bool p3_queue_push_front(p3_queue *q, const p3_queued *c);

/* The i-th command, i < count. */
p3_queued *p3_queue_at(const p3_queue *q, size_t i);

/* Removes the first command; its text then belongs to the caller. count > 0. */
p3_queued p3_queue_pop(p3_queue *q);

/* Wipes and frees a command's text. */
void p3_queued_clear(p3_queued *c);

/* Frees the ring and all texts. */
void p3_queue_free(p3_queue *q);

#endif

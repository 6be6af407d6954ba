/* A copy of a reply, which outlives the received octets. */
#ifndef P3_CLIENT_REPLY_H
#define P3_CLIENT_REPLY_H

#include <pop3/types.h>

/* All zero at first. */
typedef struct p3_kept_reply {
    pop3_reply reply; /* its spans point into `data` */
    char *data;
    size_t size;
} p3_kept_reply;

/* Stores a copy, without its spans when out of memory. `from` may be the stored one. */
void p3_reply_keep(p3_kept_reply *to, const pop3_reply *from);

/* Clears it; the memory is kept for the next. */
void p3_reply_forget(p3_kept_reply *kept);

void p3_reply_free(p3_kept_reply *kept);

#endif

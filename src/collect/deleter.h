/* DELE, and QUIT, which makes deletions final. */
#ifndef P3_COLLECT_DELETER_H
#define P3_COLLECT_DELETER_H

#include "collect/recorder.h"
#include "collect/trust.h"
#include "collect/window.h"

/* The answer to QUIT. */
typedef enum p3_quit {
    P3_QUIT_OPEN = 0,
    P3_QUIT_ANSWERED,
    P3_QUIT_NOT_ANSWERED /* it was not +OK, and nothing hung on it */
} p3_quit;

typedef struct p3_deleter {
    p3_maildrop *drop;
    p3_window window;
    const p3_mail *broke; /* the one at whose DELE the connection was lost, or NULL */
    p3_quit quit;
} p3_deleter;

void p3_deleter_init(p3_deleter *d, p3_maildrop *drop);

/* What tells a message from the others of its account from one session of a run to the next. */
int64_t p3_deletion_key(const p3_maildrop *drop, const p3_mail *mail);

/* Whether a session broke at a message's deletion before this one, maybe of another run. */
bool p3_deletion_broke_before(const p3_maildrop *drop, const p3_mail *mail);

/* Deletes a message on the server. */
void p3_deleter_add(p3_deleter *d, const p3_mail *mail);

/* A session broke at a message's deletion: remembers that in its row, or forgets it of all rows
 * where the server is to blame. */
void p3_deleter_remember(const p3_deleter *d, p3_recorder *r, p3_blame blame);

/* Sends QUIT. */
void p3_deleter_quit(p3_deleter *d);

/* Hands in what stands now of the messages that the server marked as deleted, and returns how many
 * those are. */
size_t p3_deleter_record(const p3_deleter *d, p3_recorder *r, p3_standing standing,
                         const char *reached);

void p3_deleter_free(p3_deleter *d);

#endif

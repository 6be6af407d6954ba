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
    P3_QUIT_NOT_ANSWERED /* anything but +OK, and no deletion depended on it */
} p3_quit;

typedef struct p3_deleter {
    p3_maildrop *drop;
    p3_window window;
    const p3_mail *broke; /* the message at whose DELE the connection was lost, or NULL */
    p3_quit quit;
} p3_deleter;

void p3_deleter_init(p3_deleter *d, p3_maildrop *drop);

/* Identifies a message of its account across the sessions of a run. */
int64_t p3_deletion_key(const p3_maildrop *drop, const p3_mail *mail);

/* Whether an earlier session broke at this message's deletion, possibly in an earlier run. */
bool p3_deletion_broke_before(const p3_maildrop *drop, const p3_mail *mail);

/* Deletes a message on the server. */
void p3_deleter_add(p3_deleter *d, const p3_mail *mail);

/* A session broke at a message's deletion: records that in the message's row, or, if the server is
 * to blame, removes the record from all rows. */
void p3_deleter_remember(const p3_deleter *d, p3_recorder *r, p3_blame blame);

/* Sends QUIT. */
void p3_deleter_quit(p3_deleter *d);

/* Records the new standing of the messages that the server marked as deleted, and returns their
 * number. */
size_t p3_deleter_record(const p3_deleter *d, p3_recorder *r, p3_standing standing,
                         const char *reached);

void p3_deleter_free(p3_deleter *d);

#endif

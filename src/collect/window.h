/* Commands of one kind for many messages. A limited number is in flight at any time, so that the
 * queue does not grow with the mailbox, and the connection is always busy. */
#ifndef P3_COLLECT_WINDOW_H
#define P3_COLLECT_WINDOW_H

#include "collect/maildrop.h"

/* The most commands in flight: together with one of the client's own, its largest window. */
#define P3_WINDOW 4095

typedef struct p3_window {
    p3_maildrop *drop;
    pop3_command_kind kind;
    pop3_sink_result (*sink)(void *ctx, const char *data, size_t len); /* or NULL */
    void (*done)(void *ctx, p3_mail *mail, const pop3_result *result); /* called in order */
    void *ctx;
    size_t *mails; /* indices into the listing */
    size_t count;
    p3_room room;
    size_t allowed; /* how many of them may be submitted so far */
    size_t submitted;
    size_t finished; /* mails[finished] is the current one */
    size_t most;     /* most commands in flight */
    size_t by_retr;  /* from this index on RETR is used, because TOP was refused; or SIZE_MAX */
} p3_window;

/* Creates an empty window for a kind of command, with P3_WINDOW as its only limit; the caller sets
 * the rest. */
p3_window p3_window_for(p3_maildrop *drop, pop3_command_kind kind, void *ctx);

/* Adds a message. When out of memory, the visit fails. */
void p3_window_add(p3_window *w, size_t mail);

/* Adds all messages with this todo. */
void p3_window_add_all(p3_window *w, p3_todo todo);

/* Submits as many commands as may be in flight. */
void p3_window_fill(p3_window *w);

/* Whether all have been answered. */
bool p3_window_is_done(const p3_window *w);

/* The message of the last command that was sent, or 0. */
uint32_t p3_window_in_hand(const p3_window *w);

/* TOP was refused for the current message: requests it again by RETR, and discards the body; if it
 * was the first, does so for all. */
void p3_window_by_retr(p3_window *w);

void p3_window_free(p3_window *w);

#endif

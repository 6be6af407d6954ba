/* Commands of one kind for many messages: a bounded number is under way at any time, so that
 * neither the queue grows with the mailbox nor the line falls silent. */
#ifndef P3_COLLECT_WINDOW_H
#define P3_COLLECT_WINDOW_H

#include "collect/maildrop.h"

/* Commands under way at a time: with one of the client's own its largest window. */
#define P3_WINDOW 4095

typedef struct p3_window {
    p3_maildrop *drop;
    pop3_command_kind kind;
    pop3_sink_result (*sink)(void *ctx, const char *data, size_t len); /* or NULL */
    void (*done)(void *ctx, p3_mail *mail, const pop3_result *result); /* told in order */
    void *ctx;
    size_t *mails; /* indices into the mailbox */
    size_t count;
    p3_room room;
    size_t allowed; /* how many of them may be submitted by now */
    size_t submitted;
    size_t finished; /* mails[finished] is the one in hand */
    size_t most;     /* under way at a time */
    size_t by_retr;  /* those from here on are asked for by RETR, as TOP was refused; or SIZE_MAX */
} p3_window;

/* A window for a kind of command, empty and without bounds but P3_WINDOW; the rest is for the
 * caller to set. */
p3_window p3_window_for(p3_maildrop *drop, pop3_command_kind kind, void *ctx);

/* Adds a message. Without memory the visit fails. */
void p3_window_add(p3_window *w, size_t mail);

/* Adds those that are to be done so. */
void p3_window_add_all(p3_window *w, p3_todo todo);

/* Submits as many as may be under way. */
void p3_window_fill(p3_window *w);

/* Whether all have been answered. */
bool p3_window_is_done(const p3_window *w);

/* The message that the server was asked for last, or 0. */
uint32_t p3_window_in_hand(const p3_window *w);

/* TOP was refused for the message in hand: asks for it again by RETR, the rest of which is thrown
 * away; when it was the first, for all of them. */
void p3_window_by_retr(p3_window *w);

void p3_window_free(p3_window *w);

#endif

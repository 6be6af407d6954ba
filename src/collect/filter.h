/* The header command: it is shown the header of each new message, and says what becomes of it. */
#ifndef P3_COLLECT_FILTER_H
#define P3_COLLECT_FILTER_H

#include "collect/jobs.h"
#include "collect/window.h"

typedef struct p3_filter {
    p3_maildrop *drop;
    p3_jobs *jobs;
    p3_window window;
    p3_header header; /* the one in hand */
    bool busy;        /* the command is running */
} p3_filter;

/* Begins with the messages that are to be retrieved, where the account has a header command, with
 * drop and jobs set. */
void p3_filter_begin(p3_filter *f);

bool p3_filter_is_done(const p3_filter *f);

/* Not while it is busy. */
void p3_filter_free(p3_filter *f);

#endif

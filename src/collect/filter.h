/* The filter command: it gets the header of each new message and decides what is done with it. */
#ifndef P3_COLLECT_FILTER_H
#define P3_COLLECT_FILTER_H

#include "collect/jobs.h"
#include "collect/window.h"

typedef struct p3_filter {
    p3_maildrop *drop;
    p3_jobs *jobs;
    p3_window window;
    p3_header header; /* of the current message */
    bool busy;        /* the command is running */
} p3_filter;

/* Starts with the messages that are to be retrieved, if the account has a filter. drop and jobs
 * must be set. */
void p3_filter_begin(p3_filter *f);

bool p3_filter_is_done(const p3_filter *f);

/* Must not be called while it is busy. */
void p3_filter_free(p3_filter *f);

#endif

/* Trace lines about the connection itself. */
#ifndef P3_CLIENT_TRACE_H
#define P3_CLIENT_TRACE_H

#include <pop3/engine.h>

#include <string.h>

static inline void p3_trace_note(const pop3_engine_options *o, const char *text)
{
    if (o->trace != NULL && o->trace_level >= 1)
        o->trace(o->trace_ctx, POP3_TRACE_NOTE, text, strlen(text));
}

#endif

/* Requests the headers of messages of which it is doubtful whether they are known. */
#ifndef P3_COLLECT_HEADER_READER_H
#define P3_COLLECT_HEADER_READER_H

#include "collect/window.h"

typedef struct p3_header_reader {
    p3_maildrop *drop;
    p3_window window;
    p3_header header; /* of the current message */
} p3_header_reader;

/* Requests the headers of all doubtful messages, possibly none. drop must be set. */
void p3_header_reader_begin(p3_header_reader *l);

void p3_header_reader_free(p3_header_reader *l);

#endif

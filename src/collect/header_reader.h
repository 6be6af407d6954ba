/* Looks at messages: the headers of those of which it is doubtful whether they are known. */
#ifndef P3_COLLECT_HEADER_READER_H
#define P3_COLLECT_HEADER_READER_H

#include "collect/window.h"

typedef struct p3_header_reader {
    p3_maildrop *drop;
    p3_window window;
    p3_header header; /* the one in hand */
} p3_header_reader;

/* Asks for the headers of all that are to be looked at, with drop set; there may be none. */
void p3_header_reader_begin(p3_header_reader *l);

void p3_header_reader_free(p3_header_reader *l);

#endif

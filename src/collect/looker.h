/* Looks at messages: the headers of those of which it is doubtful whether they are known. */
#ifndef P3_COLLECT_LOOKER_H
#define P3_COLLECT_LOOKER_H

#include "collect/window.h"

typedef struct p3_looker {
    p3_maildrop *drop;
    p3_window window;
    p3_header header; /* the one in hand */
} p3_looker;

/* Asks for the headers of all that are to be looked at, with drop set; there may be none. */
void p3_looker_begin(p3_looker *l);

void p3_looker_free(p3_looker *l);

#endif

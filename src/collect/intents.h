/* What is recorded before the first message is asked for: what the listing tells about what is
 * known, and which messages are about to be delivered under which names. */
#ifndef P3_COLLECT_INTENTS_H
#define P3_COLLECT_INTENTS_H

#include "collect/recorder.h"

typedef struct p3_intents {
    p3_maildrop *drop;
    p3_recorder *recorder;
    p3_names *run_names;
    const size_t *mails; /* those that are about to be delivered, in their order; the caller's */
    size_t count;
    p3_name_list names; /* of messages with intents */
    size_t recorded;    /* so many are on the disk */
} p3_intents;

/* Hands in what the listing tells, and the first intents: those that the line is soon busy with.
 * drop, recorder and run_names are set. Returns false when out of memory. */
bool p3_intents_begin(p3_intents *s, const size_t *mails, size_t count);

/* Hands in the others, once the first may be retrieved. Returns false when out of memory. */
bool p3_intents_go_on(p3_intents *s);

void p3_intents_free(p3_intents *s);

#endif

/* Records, before the first message is requested, what the listing says about known messages, and
 * the intents: which messages are about to be delivered under which names. */
#ifndef P3_COLLECT_INTENTS_H
#define P3_COLLECT_INTENTS_H

#include "collect/recorder.h"

typedef struct p3_intents {
    p3_maildrop *drop;
    p3_recorder *recorder;
    p3_names *run_names;
    const size_t *mails; /* messages to deliver, in order; belongs to the caller */
    size_t count;
    p3_name_list names; /* the names of messages with intents */
    size_t recorded;    /* the number of intents on the disk */
} p3_intents;

/* Hands in what the listing says and the first intents: as many as the connection is soon busy
 * with. drop, recorder and run_names must be set. Returns false when out of memory. */
bool p3_intents_begin(p3_intents *s, const size_t *mails, size_t count);

/* Hands in the other intents, when the first messages may be retrieved. Returns false when out of
 * memory. */
bool p3_intents_go_on(p3_intents *s);

void p3_intents_free(p3_intents *s);

#endif

/* The stages of a visit, in order; visit.c says what each of them does. */
#ifndef P3_COLLECT_STAGE_H
#define P3_COLLECT_STAGE_H

#include <stdbool.h>

typedef enum p3_stage {
    P3_STAGE_SECRET,     /* finding the secret */
    P3_STAGE_LOGIN,      /* connecting and logging in */
    P3_STAGE_LISTING,    /* UIDL, LIST */
    P3_STAGE_PLAN,       /* what is known, new, or doubtful */
    P3_STAGE_HEADERS,    /* headers of doubtful messages */
    P3_STAGE_COMPARISON, /* doubtful messages that are due, to the last octet */
    P3_STAGE_FILTER,     /* headers of new messages, for the header command */
    P3_STAGE_CHOICE,     /* choosing the messages to retrieve */
    P3_STAGE_RETRIEVAL,  /* messages, and DELE of those that are delivered */
    P3_STAGE_DELETION,   /* recording which deletions QUIT is about to make final */
    P3_STAGE_QUIT,
    P3_STAGE_RECORD, /* recording what has been deleted */
    P3_STAGE_OVER
} p3_stage;

/* Whether headers are requested in this stage, before any message is retrieved. */
static inline bool p3_stage_looks(p3_stage stage)
{
    return stage == P3_STAGE_HEADERS || stage == P3_STAGE_COMPARISON || stage == P3_STAGE_FILTER;
}

#endif

/* Whether a message ended where it seemed to. There are two signs: a lone dot between two CRLFs,
 * and as many octets as were announced. Either can be missing on a server that means well: some
 * forget to stuff dots beside bare LFs, which anybody can put into mail, and some count octets in
 * ways of their own. */
#ifndef P3_CORE_PROOF_H
#define P3_CORE_PROOF_H

#include <pop3/types.h>

/* What was said about a message's size. */
typedef struct p3_announced_size {
    uint64_t octets; /* in the reply to RETR */
    bool number;     /* that reply began with one */
    bool in_words;   /* and said that it meant octets: anything else may be the message's number */
    uint64_t listed; /* the size that LIST gave, or 0 */
} p3_announced_size;

/* What it takes to believe that a message has ended, least first. */
typedef enum p3_proof {
    P3_PROOF_NONE,    /* nothing */
    P3_PROOF_IF_FREE, /* the reply to the next command, if one is in flight */
    P3_PROOF_REPLY,   /* that reply; a NOOP's if nothing is in flight or waits */
    P3_PROOF_NOOP,    /* the same; a NOOP's if nothing is in flight */
    P3_PROOF_ALONE    /* the replies to two NOOPs, with nothing else in flight */
} p3_proof;

/* What the reply to a RETR, in its text, and LIST (0: unknown) announce. */
p3_announced_size p3_announcement(pop3_str text, uint64_t listed);

pop3_size_match p3_match_size(const p3_announced_size *a, uint64_t octets);

/* What it takes, given both signs; `strict`: for a caller who keeps nothing of which only one sign
 * is there until a reply has come behind it. Where the end is not clean and the size another one
 * than was announced, a status line that follows may be a part of the message, and a message behind
 * it, too: whoever wrote the mail can write those. Only what the server sends when it has been
 * silent, and is asked again, proves something then. */
p3_proof p3_proof_wanted(bool clean_end, pop3_size_match size, bool strict);

#endif

/* Whether a message ended where it seemed to. There are two signs: a lone dot between two CRLFs,
 * and the announced number of octets. Either can be missing on a correct server: some forget to
 * stuff dots after bare LFs, which anybody can put into mail, and some count octets in their own
 * way. */
#ifndef P3_CORE_PROOF_H
#define P3_CORE_PROOF_H

#include <pop3/types.h>

/* What was announced about a message's size. */
typedef struct p3_announced_size {
    uint64_t octets; /* in the reply to RETR */
    bool number;     /* that reply began with one */
    bool in_words; /* and said that the number meant octets: otherwise it may be the message number
                    */
    uint64_t listed; /* the size that LIST gave, or 0 */
} p3_announced_size;

/* What is needed to believe that a message has ended, the least first. */
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

/* What is needed, given both signs. `strict`: for a caller that stores a message with only one sign
 * when a reply has followed it. If the end is not clean and the size differs from the announced
 * one, a status line that follows, or a message after it, may be a part of the mail, written by its
 * author. Then only what the server sends after it has been silent and is asked again proves
 * something. */
p3_proof p3_proof_wanted(bool clean_end, pop3_size_match size, bool strict);

#endif

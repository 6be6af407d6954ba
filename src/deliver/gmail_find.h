/* Whether a message is in Gmail. */
#ifndef P3_DELIVER_GMAIL_FIND_H
#define P3_DELIVER_GMAIL_FIND_H

#include "deliver/gmail_line.h"

/* What a message can be found by: its Message-ID, without the angles around it. */
typedef struct p3_gmail_identity {
    char id[1000]; /* "": there is one that cannot be searched for */
    bool is_ours;  /* the message has none: it gets this one, made of the name of its intent */
} p3_gmail_identity;

/* Finds it in a part of a file. False with the problem. */
bool p3_gmail_identify(p3_gmail_identity *out, int fd, uint64_t offset, uint64_t length,
                       const char *name, p3_problem *why);

/* Whether the message was delivered under this name. Its Message-ID finds it, in the spam and the
 * bin, too; the name in its header proves it: no other message has it. */
p3_gmail_verdict p3_gmail_find(p3_gmail_line *l, const p3_gmail_identity *who, const char *name,
                               bool *is_there, p3_problem *why);

#endif

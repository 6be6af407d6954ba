/* The owner of a file beside a mailbox: an account, as one state knows it. A process that has
 * locked the account may remove such a file if nothing in the state names it; other accounts may
 * need theirs to know what they have delivered. */
#ifndef P3_DELIVER_OWNER_H
#define P3_DELIVER_OWNER_H

/* A part of a file's name: 16 hexadecimal digits. */
typedef struct p3_owner {
    char mark[17];
} p3_owner;

/* The owner for an account of a state. `state` is the state's real path (realpath(3)), so that it
 * is the same for every name of the state. */
p3_owner p3_owner_of(const char *state, const char *account_key);

#endif

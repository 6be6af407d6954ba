/* Whose a file beside a mailbox is: the account's, as one state knows it. Who has that account
 * locked may remove such a file when nothing in the state names it; to others it may be all that
 * tells them what they have delivered. */
#ifndef P3_DELIVER_OWNER_H
#define P3_DELIVER_OWNER_H

/* A part of a file's name: 16 hexadecimal digits. */
typedef struct p3_owner {
    char mark[17];
} p3_owner;

/* The owner that an account of a state is. `state` is the state's real path, as realpath(3) has it,
 * so that it is the same whatever name the state goes by. */
p3_owner p3_owner_of(const char *state, const char *account_key);

#endif

/* Where tokens are kept: a file of mode 0600 for each account, replaced in one step, and a lock
 * beside it, so that one process at a time refreshes. Where the desktop's keyring keeps the tokens
 * instead, the file says so. */
#ifndef P3_TOKEN_STORE_H
#define P3_TOKEN_STORE_H

#include "support/problem.h"
#include "token/record.h"
#include "token/seal.h"

/* Where new tokens are to be kept. */
typedef enum p3_token_place {
    P3_TOKENS_AUTO,    /* in the keyring where it answers and there is no key for the file */
    P3_TOKENS_FILE,    /* in the file */
    P3_TOKENS_KEYRING, /* in the keyring, and nowhere else */
} p3_token_place;

/* Which file it is; everything is the caller's. */
typedef struct p3_token_store {
    const char *path; /* its directory exists */
    p3_seal_key key;  /* encrypts; data NULL: the file is readable for its owner */
    p3_token_place place;
    bool may_ask; /* the person, to unlock the keyring */
} p3_token_store;

/* Reads the record. `*found` is false, with an empty record, when there is no file. Returns false
 * with a problem when there is one that cannot be read or trusted. */
bool p3_token_load(const p3_token_store *s, p3_token_record *out, bool *found, p3_problem *why);

/* Whether they are kept in the keyring now. */
bool p3_token_is_in_keyring(const p3_token_store *s);

/* Writes the record where it is kept, or where it is to be when there is none, durably: once it
 * returns true the old content is gone for good, before that it is whole. Call it with the lock
 * only. */
bool p3_token_save(const p3_token_store *s, const p3_token_record *record, p3_problem *why);

/* The same of new tokens, which are kept where new ones are to be. The person may be asked to
 * unlock the keyring. */
bool p3_token_save_new(const p3_token_store *s, const p3_token_record *record, p3_problem *why);

/* Removes them, and the file. It need not be there. */
bool p3_token_remove(const p3_token_store *s, p3_problem *why);

/* Waits for the lock, two minutes at most. Returns a descriptor for p3_token_unlock(), or -1. */
int p3_token_lock(const p3_token_store *s, p3_problem *why);
void p3_token_unlock(int lock);

#endif

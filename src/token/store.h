/* Stores tokens: a file of mode 0600 for each account, replaced atomically, with a lock beside it,
 * so that one process at a time refreshes. If the desktop's keyring has the tokens, the file says
 * so. */
#ifndef P3_TOKEN_STORE_H
#define P3_TOKEN_STORE_H

#include "support/problem.h"
#include "token/record.h"
#include "token/seal.h"

/* Where new tokens are stored. */
typedef enum p3_token_place {
    P3_TOKENS_AUTO,    /* in the keyring if it is available and there is no key for the file */
    P3_TOKENS_FILE,    /* in the file */
    P3_TOKENS_KEYRING, /* only in the keyring */
} p3_token_place;

/* The file; everything belongs to the caller. */
typedef struct p3_token_store {
    const char *path; /* its directory exists */
    p3_seal_key key;  /* encrypts the file; data NULL: no encryption */
    p3_token_place place;
    bool may_ask; /* the user may be asked to unlock the keyring */
} p3_token_store;

/* Reads the record. `*found` is false, with an empty record, when there is no file. Returns false
 * with a problem when it cannot be read or trusted. */
bool p3_token_load(const p3_token_store *s, p3_token_record *out, bool *found, p3_problem *why);

/* Whether the tokens are in the keyring now. */
bool p3_token_is_in_keyring(const p3_token_store *s);

/* Writes the record, durably, where it is stored, or where new ones are stored if there is none:
 * after true has been returned the old content is gone, before that it is intact. Only with the
 * lock. */
bool p3_token_save(const p3_token_store *s, const p3_token_record *record, p3_problem *why);

/* The same for new tokens, which are stored where new ones belong. The user may be asked to unlock
 * the keyring. */
bool p3_token_save_new(const p3_token_store *s, const p3_token_record *record, p3_problem *why);

/* Removes the tokens and the file, which need not exist. */
bool p3_token_remove(const p3_token_store *s, p3_problem *why);

/* Waits for the lock, at most two minutes. Returns a descriptor for p3_token_unlock(), or -1. */
int p3_token_lock(const p3_token_store *s, p3_problem *why);
void p3_token_unlock(int lock);

#endif

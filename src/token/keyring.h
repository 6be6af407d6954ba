/* Stores text in the desktop's Secret Service (GNOME Keyring, KWallet, KeePassXC), by libsecret,
 * which is loaded when it is first needed. */
#ifndef P3_TOKEN_KEYRING_H
#define P3_TOKEN_KEYRING_H

#include <stdbool.h>

#include "support/problem.h"

/* Whether this build supports it and there is a session bus. */
bool p3_keyring_is_there(void);

/* Stores text under a name, replacing what was stored. May ask the user to unlock the keyring. */
bool p3_keyring_store(const char *name, const char *text, p3_problem *why);

/* Returns the text stored under a name, in new memory, which must be wiped. A locked keyring is a
 * failure, unless it `may_ask` the user to unlock it. */
bool p3_keyring_find(const char *name, bool may_ask, char **text, p3_problem *why);

/* Removes it. It need not exist. */
bool p3_keyring_remove(const char *name, p3_problem *why);

#endif

/* Text that the desktop's Secret Service keeps (GNOME Keyring, KWallet, KeePassXC), by libsecret,
 * which is loaded when it is first needed. */
#ifndef P3_TOKEN_KEYRING_H
#define P3_TOKEN_KEYRING_H

#include <stdbool.h>

#include "support/problem.h"

/* Whether this build knows it and there is a session bus to ask it over. */
bool p3_keyring_is_there(void);

/* Keeps text under a name, in place of what was kept there. May ask the person to unlock it. */
bool p3_keyring_store(const char *name, const char *text, p3_problem *why);

/* Gives what is kept under a name, in new memory, which is to be wiped. A keyring that is locked
 * is a failure unless it `may_ask` the person to unlock it. */
bool p3_keyring_find(const char *name, bool may_ask, char **text, p3_problem *why);

/* Removes it. It need not be there. */
bool p3_keyring_remove(const char *name, p3_problem *why);

#endif

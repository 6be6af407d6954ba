/* An account's settings for the recipients and folders of a mailbox that many share. */
#ifndef P3_CLI_MULTIDROP_H
#define P3_CLI_MULTIDROP_H

#include "deliver/recipients.h"
#include "deliver/target.h"
#include "settings/settings.h"

/* Creates them for an account with these targets: NULL if all mail has one recipient. False, with
 * the problem, when settings are missing or contradictory, or the table cannot be used. */
bool p3_multidrop_make(p3_recipients **out, const p3_settings *s, const p3_target *targets,
                       size_t count, p3_problem *why);

/* Who gets messages that match no recipient, or all messages; NULL when nobody is set. */
const char *p3_multidrop_postmaster(const p3_settings *s);

#endif

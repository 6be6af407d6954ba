/* What an account's settings say about the recipients and folders of a mailbox that many share. */
#ifndef P3_CLI_MULTIDROP_H
#define P3_CLI_MULTIDROP_H

#include "deliver/recipients.h"
#include "deliver/target.h"
#include "settings/settings.h"

/* Makes them for an account with these targets: NULL where all mail has one recipient. False, with
 * the problem, when settings are missing or contradict, or the table cannot be used. */
bool p3_multidrop_make(p3_recipients **out, const p3_settings *s, const p3_target *targets,
                       size_t count, p3_problem *why);

/* Who gets what fits nobody, or all of it; NULL when nobody is set. */
const char *p3_multidrop_postmaster(const p3_settings *s);

#endif

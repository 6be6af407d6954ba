/* What `pop3 doctor` finds out about the targets of an account. */
#ifndef P3_CLI_DOCTOR_TARGET_H
#define P3_CLI_DOCTOR_TARGET_H

#include "cli/account.h"

/* Prints of each target, a line each, what is right and what is not: its tokens, whether it can be
 * reached and logged in to, whether it has the folder or takes the recipient. Nothing is delivered,
 * and nothing made. Before the sandbox is entered. Returns an exit status: EX_OK when nothing is
 * wrong. */
int p3_doctor_target(const p3_local_account *a);

#endif

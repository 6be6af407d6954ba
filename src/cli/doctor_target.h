/* `pop3 doctor`: checks the targets of an account. */
#ifndef P3_CLI_DOCTOR_TARGET_H
#define P3_CLI_DOCTOR_TARGET_H

#include "cli/account.h"

/* Prints findings about each target: its tokens, whether it can be reached and logged in to,
 * whether it has the folder or accepts the recipient. Delivers and creates nothing. To be called
 * before the sandbox is entered. Returns an exit status: EX_OK when nothing is wrong. */
int p3_doctor_target(const p3_local_account *a);

#endif

/* Keeps secrets out of core dumps. */
#ifndef P3_CLI_CORE_DUMPS_H
#define P3_CLI_CORE_DUMPS_H

/* From here on this process leaves no core when it dies, and other processes of the user can
 * neither trace it nor read its memory. Programs that it runs are not affected. POP3_CORE_DUMPS=yes
 * in the environment leaves things as they are, for who is to find out why it dies. */
void p3_cores_off(void);

#endif

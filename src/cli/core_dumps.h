/* Keeps secrets out of core dumps. */
#ifndef P3_CLI_CORE_DUMPS_H
#define P3_CLI_CORE_DUMPS_H

/* From now on this process leaves no core file, and other processes of the user cannot trace it or
 * read its memory. Programs that it starts are not affected. With POP3_CORE_DUMPS=yes in the
 * environment it does nothing. */
void p3_cores_off(void);

#endif

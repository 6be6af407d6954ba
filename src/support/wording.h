/* Texts for users of the command only: its options and subcommands. */
#ifndef P3_SUPPORT_WORDING_H
#define P3_SUPPORT_WORDING_H

/* Returns the text in the command, and "" in libpop3-collect. */
const char *p3_in_command(const char *words);

#endif

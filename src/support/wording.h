/* Words that make sense to users of the command alone: its options, and how it is run. */
#ifndef P3_SUPPORT_WORDING_H
#define P3_SUPPORT_WORDING_H

/* Returns the words in the command, and "" in a program of others, which has libpop3-collect. */
const char *p3_in_command(const char *words);

#endif

/* Files without a name: closed on exec, and gone with their last descriptor. */
#ifndef P3_SYSTEM_NAMELESS_H
#define P3_SYSTEM_NAMELESS_H

/* A file in a directory, for reading and writing; -1 with errno. */
int p3_nameless_file(const char *directory);

/* A small one in memory. Where the system has none, in the directory for temporary files. */
int p3_nameless_memory(void);

/* A file that has a name for a moment: how p3_nameless_file() makes one where nothing better is. */
int p3_nameless_unlinked(const char *directory);

/* The directory for temporary files: $TMPDIR where that is a path from the root, else /tmp. */
const char *p3_nameless_directory(void);

#endif

/* Unnamed files: close-on-exec, and removed with their last descriptor. */
#ifndef P3_SYSTEM_NAMELESS_H
#define P3_SYSTEM_NAMELESS_H

/* A file in a directory, for reading and writing; -1 with errno. */
int p3_nameless_file(const char *directory);

/* A small file in memory, or in the directory for temporary files if the system has no such files.
 */
int p3_nameless_memory(void);

/* A file that has a name for a moment: p3_nameless_file() on systems without unnamed files. */
int p3_nameless_unlinked(const char *directory);

/* The directory for temporary files: $TMPDIR if it is an absolute path, else /tmp. */
const char *p3_nameless_directory(void);

#endif

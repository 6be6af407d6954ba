/* Directories that exist after a power cut. */
#ifndef P3_DELIVER_DIRECTORY_H
#define P3_DELIVER_DIRECTORY_H

#include <stdbool.h>

/* Creates a directory with mode 0700, with its missing parents, and syncs each entry. Does not
 * replace a dangling link. Returns false with errno. */
bool p3_directory_make(const char *path);

/* Opens a directory inside another one for reading, if it exists; `name` begins with a slash. It
 * uses the whole path, because nothing else below the first need be accessible. -1 with errno. */
int p3_directory_open(const char *path, const char *name);

/* Syncs the directory that contains a file or directory. Returns false with errno. */
bool p3_directory_sync_entry(const char *path);

#endif

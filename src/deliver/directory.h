/* Folders that are still there after a power cut. */
#ifndef P3_DELIVER_DIRECTORY_H
#define P3_DELIVER_DIRECTORY_H

#include <stdbool.h>

/* Makes a folder, for its owner alone, with its missing parents, and syncs each entry. A link that
 * leads nowhere is not replaced. Returns false with errno. */
bool p3_directory_make(const char *path);

/* Opens a folder of one at a path, if it is there, to be read; `name` begins with a slash. By its
 * whole path: nothing else below the first need be within reach. -1 with errno. */
int p3_directory_open(const char *path, const char *name);

/* Syncs the folder that a file or folder is in. Returns false with errno. */
bool p3_directory_sync_entry(const char *path);

#endif

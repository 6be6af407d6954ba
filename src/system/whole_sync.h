/* Syncs a whole file system. */
#ifndef P3_SYSTEM_WHOLE_SYNC_H
#define P3_SYSTEM_WHOLE_SYNC_H

#include <stdbool.h>

/* Whether p3_whole_sync() on the file system of a directory does what fsync(2) does for each of its
 * files. */
bool p3_whole_sync_reaches_disk(int directory);

/* Whether p3_whole_sync() reports write errors. */
bool p3_whole_sync_tells_errors(void);

/* Syncs the file system of a directory. Returns 0, or -1 with errno. Without such a call both
 * questions above are answered false, and files are synced one by one. */
int p3_whole_sync(int directory);

#endif

/* Making all of a file system durable at once. */
#ifndef P3_SYSTEM_WHOLE_SYNC_H
#define P3_SYSTEM_WHOLE_SYNC_H

#include <stdbool.h>

/* Whether p3_whole_sync() on the file system of a directory does all that fsync(2) does for each of
 * its files. */
bool p3_whole_sync_reaches_disk(int directory);

/* Whether p3_whole_sync() tells that octets could not be written. */
bool p3_whole_sync_tells_errors(void);

/* Brings all that was written to the file system of a directory to the disk. Returns 0, or -1 with
 * errno. A system without such a call answers false to both questions: files are synced one by one
 * there. */
int p3_whole_sync(int directory);

#endif

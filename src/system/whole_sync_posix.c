/* There is no call that syncs a whole file system. */
#include "system/whole_sync.h"

#include <errno.h>

bool p3_whole_sync_reaches_disk(int directory)
{
    (void)directory;
    return false;
}

bool p3_whole_sync_tells_errors(void)
{
    return false;
}

int p3_whole_sync(int directory)
{
    (void)directory;
    errno = ENOSYS;
    return -1;
}

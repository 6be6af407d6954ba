/* Files that never have a name: O_TMPFILE, memfd_create(2). */
#include "system/nameless.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

int p3_nameless_file(const char *directory)
{
    /* O_EXCL: it never gets a name. */
    int fd = open(directory, O_RDWR | O_TMPFILE | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
        return fd;
    return p3_nameless_unlinked(directory);
}

int p3_nameless_memory(void)
{
    return memfd_create("pop3", MFD_CLOEXEC);
}

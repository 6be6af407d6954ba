/* Syncs a whole file system: syncfs(2). */
#include "system/whole_sync.h"

#include <linux/magic.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif
#define P3_ZFS_MAGIC      0x2fc12fc1
#define P3_BCACHEFS_MAGIC 0xca451a4e

/* File systems whose syncfs() does everything that fsync() does. FUSE and CIFS pass data to their
 * servers without asking them to bring it to the disk. */
bool p3_whole_sync_reaches_disk(int directory)
{
    static const unsigned long known[] = {
        EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, F2FS_SUPER_MAGIC,     TMPFS_MAGIC,
        RAMFS_MAGIC,      P3_ZFS_MAGIC,    P3_BCACHEFS_MAGIC, OVERLAYFS_SUPER_MAGIC};
    struct statfs st;
    if (fstatfs(directory, &st) != 0)
        return false;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (((unsigned long)st.f_type & 0xffffffffUL) == known[i])
            return true;
    }
    return false;
}

/* Before Linux 5.8 syncfs() did not report write errors. */
bool p3_whole_sync_tells_errors(void)
{
    struct utsname u;
    int major = 0;
    int minor = 0;
    if (uname(&u) != 0 || sscanf(u.release, "%d.%d", &major, &minor) != 2)
        return false;
    return major > 5 || (major == 5 && minor >= 8);
}

int p3_whole_sync(int directory)
{
    return syncfs(directory);
}

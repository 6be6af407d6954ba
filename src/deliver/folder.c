/* Folders that are still there after a power cut: each new entry is synced. */
#include "deliver/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "confine/outside.h"

bool p3_folder_sync_entry(const char *path)
{
    char *copy = strdup(path);
    int fd =
        copy != NULL ? p3_outside_open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0) : -1;
    bool ok = fd >= 0 && fsync(fd) == 0;
    int error = errno;
    if (fd >= 0)
        (void)close(fd);
    free(copy);
    errno = error;
    return ok;
}

static bool make_entry(const char *path)
{
    bool made = mkdir(path, 0700) == 0;
    if (!made && errno != EEXIST)
        return false;
    /* One that is there may be of a run that ended before it could sync it. Its parent may belong
     * to somebody else, and not be readable. */
    return p3_folder_sync_entry(path) || (!made && errno == EACCES);
}

bool p3_folder_make(const char *path)
{
    if (make_entry(path))
        return true;
    if (errno != ENOENT)
        return false;
    char *copy = strdup(path);
    const char *parent = copy != NULL ? dirname(copy) : ".";
    bool ok = strcmp(parent, ".") != 0 && strcmp(parent, "/") != 0;
    ok = ok && p3_folder_make(parent);
    int error = errno;
    free(copy);
    errno = error;
    return ok && make_entry(path); /* once: a link that leads nowhere is there and is no folder */
}

/* Directories that exist after a power cut: each new entry is synced. */
#include "deliver/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "confine/outside.h"
#include "support/file.h"

int p3_directory_open(const char *path, const char *name)
{
    size_t size = strlen(path) + strlen(name) + 1;
    char *full = malloc(size);
    if (full == NULL)
        return -1;
    snprintf(full, size, "%s%s", path, name);
    int fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = errno;
    free(full);
    errno = error;
    return fd;
}

bool p3_directory_sync_entry(const char *path)
{
    return p3_sync_entry(path, p3_outside_open);
}

/* Syncs the entry of an existing directory. Its parent may belong to somebody else and be
 * unreadable, or be of a kind that cannot be synced. */
static bool sync_present(const char *path)
{
    return p3_directory_sync_entry(path) || errno == EACCES || errno == EINVAL;
}

static bool is_full(const char *path)
{
    struct statvfs of;
    return statvfs(path, &of) == 0 && (of.f_bavail == 0 || (of.f_files > 0 && of.f_favail == 0));
}

/* Creates a directory in an existing one. In the sandbox that is forbidden and has been tried
 * before: errno then says why it failed, judging by the parent's permissions or its file system. */
static bool make_in_parent(const char *path)
{
    char *copy = strdup(path);
    const char *parent = copy != NULL ? dirname(copy) : NULL;
    bool there = parent != NULL && p3_directory_make(parent);
    bool made = there && mkdir(path, 0700) == 0;
    if (there && !made && errno == EPERM && access(parent, W_OK | X_OK) == 0)
        errno = is_full(parent) ? ENOSPC : EPERM;
    int error = errno;
    free(copy);
    errno = error;
    return made;
}

/* An existing directory may be that of a run that ended before it could sync it. So each is synced
 * before one is created in it; only the last existing one can be in that state. */
bool p3_directory_make(const char *path)
{
    struct stat st;
    if (lstat(path, &st) == 0)
        return sync_present(path);
    if (errno != ENOENT || (!make_in_parent(path) && errno != EEXIST))
        return false;
    return p3_directory_sync_entry(path);
}

/* What a power cut left in a Maildir's tmp/, and no intent names: a name whose removal had not come
 * to the disk, or a second name of a message that is in new/. Whoever works in tmp/ now has written
 * there since the boot. */
#include "sync/maildir_tidy.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sync/boot.h"
#include "sync/names.h"

void p3_maildir_tidy_folder(int tmp)
{
    int fd = openat(tmp, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *e;
    struct stat st;
    if (dir == NULL) {
        if (fd >= 0)
            (void)close(fd);
        return;
    }
    while ((e = readdir(dir)) != NULL) {
        if (p3_name_is_ours(e->d_name) && fstatat(tmp, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(st.st_mode) && p3_is_before_boot(&st))
            (void)unlinkat(tmp, e->d_name, 0); /* or the next run does */
    }
    (void)closedir(dir);
}

void p3_maildir_tidy(const char *path, const char *owner)
{
    size_t size = strlen(path) + sizeof "/tmp";
    char *full = malloc(size);
    (void)owner;
    if (full == NULL)
        return;
    snprintf(full, size, "%s/tmp", path);
    int fd = open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(full);
    if (fd < 0)
        return;
    p3_maildir_tidy_folder(fd);
    (void)close(fd);
}

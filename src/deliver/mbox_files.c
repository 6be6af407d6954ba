/* Our files beside an mbox. */
#include "deliver/mbox_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "confine/outside.h"

/* The part of a name after the mbox's, or NULL when the file does not concern us. */
static const char *rest_of(const char *name, const char *base)
{
    size_t len = strlen(base);
    const char *rest = strncmp(name, base, len) == 0 ? name + len : "";
    bool ours = strncmp(rest, P3_MBOX_FILE, sizeof P3_MBOX_FILE - 1) == 0;
    return ours || strcmp(rest, P3_DOTLOCK) == 0 ? rest : NULL;
}

static bool call(const char *mbox, const char *rest, p3_mbox_file_fn *fn, void *ctx,
                 p3_problem *why)
{
    size_t size = strlen(mbox) + strlen(rest) + 1;
    char *path = malloc(size);
    if (path == NULL)
        return p3_problem_memory(why);
    (void)stpcpy(stpcpy(path, mbox), rest);
    bool ok = fn(ctx, path, path + strlen(mbox), why);
    free(path);
    return ok;
}

bool p3_mbox_each_file(const char *mbox, p3_mbox_file_fn *fn, void *ctx, p3_problem *why)
{
    const char *slash = strrchr(mbox, '/');
    const char *base = slash != NULL ? slash + 1 : mbox;
    char *copy = strdup(mbox);
    if (copy == NULL)
        return p3_problem_memory(why);
    int fd = p3_outside_open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    free(copy);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    bool ok = dir != NULL;
    const struct dirent *e;
    if (!ok)
        p3_problem_errno(why, errno, "reading the directory of %s", mbox);
    for (errno = 0; ok && (e = readdir(dir)) != NULL; errno = 0) {
        const char *rest = rest_of(e->d_name, base);
        ok = rest == NULL || call(mbox, rest, fn, ctx, why);
    }
    if (ok && errno != 0)
        ok = p3_problem_errno(why, errno, "reading the directory of %s", mbox);
    if (dir != NULL)
        (void)closedir(dir);
    else if (fd >= 0)
        (void)close(fd);
    return ok;
}

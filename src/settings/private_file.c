/* Decides whether a file may contain a secret: nobody else can read it, or it is read-only in a
 * place where nobody else could have put it. */
#include "settings/private_file.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

/* The kernel follows at most this many links. */
#define P3_LINKS_MOST 40

/* The path to a file, name by name. Checked directories cannot be changed by others, so names are
 * as safe as descriptors. */
typedef struct p3_path_walk {
    char here[PATH_MAX]; /* the current directory, without links; "" is the root */
    char rest[PATH_MAX]; /* the rest of the path */
    bool sticky;         /* others may create entries in `here`, but only rename their own */
    int links;           /* followed so far */
} p3_path_walk;

static bool is_ours(const struct stat *st)
{
    return st->st_uid == 0 || st->st_uid == geteuid();
}

/* Checks the current directory. */
static bool check_directory(p3_path_walk *w)
{
    struct stat st;
    if (lstat(w->here[0] != '\0' ? w->here : "/", &st) != 0 || !S_ISDIR(st.st_mode) ||
        !is_ours(&st))
        return false;
    w->sticky = (st.st_mode & 022) != 0;
    return !w->sticky || (st.st_mode & S_ISVTX) != 0;
}

/* Puts the target of a link before the rest; an absolute one starts at the root again. */
static bool follow_link(p3_path_walk *w, const char *link)
{
    char to[PATH_MAX];
    char rest[PATH_MAX];
    ssize_t n = readlink(link, to, sizeof to - 1);
    if (n <= 0 || ++w->links > P3_LINKS_MOST)
        return false;
    to[n] = '\0';
    memcpy(rest, w->rest, sizeof rest);
    int len = snprintf(w->rest, sizeof w->rest, "%s/%s", to, rest);
    if (to[0] == '/')
        w->here[0] = '\0';
    return len > 0 && (size_t)len < sizeof w->rest && check_directory(w);
}

/* Goes to the parent directory; that of the root is the root. */
static bool ascend(p3_path_walk *w)
{
    char *slash = strrchr(w->here, '/');
    if (slash != NULL)
        *slash = '\0';
    return check_directory(w);
}

/* Removes the next name from the rest. Returns its length, 0: none. */
static size_t take_name(p3_path_walk *w, char name[static PATH_MAX])
{
    const char *at = w->rest + strspn(w->rest, "/");
    size_t len = strcspn(at, "/");
    memcpy(name, at, len);
    name[len] = '\0';
    memmove(w->rest, at + len, strlen(at + len) + 1);
    return len;
}

/* Walks the whole path. Returns false if others could have put something else there; then `here` is
 * the place. */
static bool walk(p3_path_walk *w, const struct stat *file)
{
    char name[PATH_MAX];
    char next[PATH_MAX];
    struct stat st;
    bool ok = check_directory(w);
    while (ok && take_name(w, name) > 0) {
        if (strcmp(name, ".") == 0)
            continue;
        if (strcmp(name, "..") == 0) {
            ok = ascend(w);
            continue;
        }
        int len = snprintf(next, sizeof next, "%s/%s", w->here, name);
        if (len < 0 || (size_t)len >= sizeof next || lstat(next, &st) != 0)
            return false;
        if (!S_ISDIR(st.st_mode) && w->sticky)
            return false;
        if (S_ISLNK(st.st_mode)) {
            ok = follow_link(w, next);
        } else if (S_ISDIR(st.st_mode)) {
            memcpy(w->here, next, (size_t)len + 1);
            ok = check_directory(w);
        } else {
            return st.st_dev == file->st_dev && st.st_ino == file->st_ino;
        }
    }
    return false;
}

static bool begin_walk(p3_path_walk *w, const char *path)
{
    char cwd[PATH_MAX];
    *w = (p3_path_walk){.links = 0};
    bool absolute = path[0] == '/';
    if (!absolute && getcwd(cwd, sizeof cwd) == NULL)
        return false;
    int len = snprintf(w->rest, sizeof w->rest, "%s/%s", absolute ? "" : cwd, path);
    return len > 0 && (size_t)len < sizeof w->rest;
}

bool p3_private_file_check(int fd, const char *path, const char *doing, p3_problem *why)
{
    struct stat st;
    p3_path_walk way;
    if (fstat(fd, &st) != 0)
        return p3_problem_set(why, EX_OSERR, "%s %s: its permissions cannot be read", doing, path);
    if (!S_ISREG(st.st_mode) || (st.st_mode & 077) == 0)
        return true;
    if ((st.st_mode & 0222) != 0 || !is_ours(&st) || !begin_walk(&way, path))
        return p3_problem_set(why, EX_CONFIG, "%s %s: others can read it; run: chmod 600 %s", doing,
                              path, path);
    return walk(&way, &st) ||
           p3_problem_set(why, EX_CONFIG,
                          "%s %s: others can read it, and could replace it in %s/; run: chmod 600 "
                          "%s, or move it to a directory that only you or root can write",
                          doing, path, way.here, path);
}

/* Fuzzing the recovery of a Maildir. The input's lines are files in its folders, "t", "n" or "c"
 * and a name, and messages that an earlier run meant to deliver, "i" and a name. After settling,
 * each of those counts as there exactly when new/ or cur/ has it, with whatever flags; what is not
 * there has left tmp/ too; and no other file has been touched. */
#include "deliver/maildir.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST 64 /* lines that are looked at */

/* A line of the input. */
typedef struct entry {
    char folder; /* 't', 'n', 'c', or 'i' */
    char name[NAME_MAX + 1];
} entry;

static char root[64]; /* the Maildir */
static int root_fd = -1;

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void remove_root(void)
{
    static const char *const folders[] = {"tmp", "new", "cur"};
    for (size_t i = 0; i < 3; i++)
        (void)unlinkat(root_fd, folders[i], AT_REMOVEDIR);
    (void)rmdir(root);
}

/* In memory, where there is such a folder. */
static void make_root(void)
{
    bool shared = access("/dev/shm", W_OK) == 0;
    snprintf(root, sizeof root, "%s/pop3-fuzz-XXXXXX", shared ? "/dev/shm" : "/tmp");
    must(mkdtemp(root) != NULL);
    root_fd = open(root, O_RDONLY | O_DIRECTORY);
    must(root_fd >= 0 && atexit(remove_root) == 0);
}

/* A path below the root, of a file in a folder. */
static const char *path_of(char folder, const char *name)
{
    static char path[NAME_MAX + 8];
    snprintf(path, sizeof path, "%s/%s",
             folder == 't'   ? "tmp"
             : folder == 'n' ? "new"
                             : "cur",
             name);
    return path;
}

static bool is_there(char folder, const char *name)
{
    struct stat st;
    return fstatat(root_fd, path_of(folder, name), &st, 0) == 0;
}

/* Takes a line, when it can be a file; an intent must have a name that we would give. */
static bool take(const char *line, size_t len, entry *e)
{
    if (len < 2 || len > NAME_MAX || strchr("tnci", line[0]) == NULL || line[0] == '\0')
        return false;
    e->folder = line[0];
    memcpy(e->name, line + 1, len - 1);
    e->name[len - 1] = '\0';
    if (strlen(e->name) != len - 1 || strchr(e->name, '/') != NULL || strcmp(e->name, ".") == 0 ||
        strcmp(e->name, "..") == 0)
        return false;
    return e->folder != 'i' || strpbrk(e->name, ":;!,") == NULL;
}

static size_t read_entries(const char *data, size_t size, entry *out)
{
    size_t count = 0;
    while (size > 0 && count < MOST) {
        const char *lf = memchr(data, '\n', size);
        size_t len = lf == NULL ? size : (size_t)(lf - data);
        bool twice = false;
        if (take(data, len, &out[count])) {
            for (size_t i = 0; i < count; i++)
                twice = twice || (out[i].folder == out[count].folder &&
                                  strcmp(out[i].name, out[count].name) == 0);
            count += !twice;
        }
        size_t used = lf == NULL ? len : len + 1;
        data += used;
        size -= used;
    }
    return count;
}

/* Whether a file is the message that was meant, perhaps with flags behind a colon. */
static bool is_delivered_as(const entry *file, const char *name)
{
    size_t len = strlen(name);
    return (file->folder == 'n' || file->folder == 'c') && strncmp(file->name, name, len) == 0 &&
           strchr(":;!,", file->name[len]) != NULL; /* or the end */
}

static void check(const entry *all, size_t count, const p3_left_over *left, size_t left_count)
{
    for (size_t i = 0; i < left_count; i++) {
        bool delivered = false;
        for (size_t k = 0; k < count; k++)
            delivered = delivered || is_delivered_as(&all[k], left[i].name);
        must(left[i].there == delivered);
    }
    for (size_t i = 0; i < count; i++) {
        bool ours = false;
        for (size_t k = 0; k < left_count; k++)
            ours = ours || strcmp(left[k].name, all[i].name) == 0;
        if (all[i].folder != 'i')
            must(is_there(all[i].folder, all[i].name) == !(all[i].folder == 't' && ours));
    }
}

static void count_octets(void *ctx, const char *data, size_t len)
{
    (void)data;
    *(size_t *)ctx += len;
}

static void settle(const entry *all, size_t count)
{
    p3_problem why = {0};
    p3_left_over *left = calloc(count + 1, sizeof *left);
    char target[80];
    size_t left_count = 0;
    snprintf(target, sizeof target, "%s", root);
    p3_delivery *d = p3_maildir_open(target, NULL, &why);
    must(left != NULL && d != NULL);
    for (size_t i = 0; i < count; i++) {
        if (all[i].folder == 'i') {
            left[left_count++] = (p3_left_over){.name = all[i].name, .row = i};
            continue;
        }
        int fd = openat(root_fd, path_of(all[i].folder, all[i].name), O_WRONLY | O_CREAT, 0600);
        must(fd >= 0 && write(fd, "x", 1) == 1);
        close(fd);
    }
    must(d->class->settle(d, left, left_count, &why));
    check(all, count, left, left_count);
    for (size_t i = 0; i < left_count; i++) {
        size_t n = 0;
        must(d->class->read_back(d, left[i].name, count_octets, &n));
        bool readable = is_there('n', left[i].name);
        for (size_t k = 0; k < count; k++)
            readable = readable || (all[k].folder == 'c' && is_delivered_as(&all[k], left[i].name));
        must(n == (size_t)readable);
    }
    for (size_t i = 0; i < count; i++) {
        if (all[i].folder != 'i')
            (void)unlinkat(root_fd, path_of(all[i].folder, all[i].name), 0);
    }
    d->class->close(d);
    free(left);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static entry all[MOST];
    if (root_fd < 0)
        make_root();
    settle(all, read_entries((const char *)data, size, all));
    return 0;
}

/* A spool file beside an mbox. */
#include "deliver/mbox_spool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "confine/outside.h"
#include "deliver/directory.h"
#include "deliver/mbox_files.h"
#include "support/file.h"

/* The last line: length, offset, missing. */
#define P3_TRAILER_FORMAT "%020" PRIu64 " %020" PRIu64 " %u end\n"
#define P3_TRAILER_LENGTH 48

void p3_mbox_spool_free(p3_mbox_spool *s, bool remove)
{
    if (s == NULL)
        return;
    if (remove)
        (void)p3_outside_unlink(s->path);
    if (s->fd >= 0)
        (void)close(s->fd);
    free(s->path);
    free(s);
}

/* Takes over the path. NULL when out of memory. */
static p3_mbox_spool *new_spool(char *path, p3_problem *why)
{
    p3_mbox_spool *s = path != NULL ? calloc(1, sizeof *s) : NULL;
    if (s == NULL) {
        free(path);
        p3_problem_memory(why);
        return NULL;
    }
    s->path = path;
    s->fd = -1;
    return s;
}

/* Opens its file. On failure frees it and returns NULL. */
static p3_mbox_spool *open_file(p3_mbox_spool *s, int flags, const char *doing, p3_problem *why)
{
    s->fd = p3_outside_open(s->path, flags | O_CLOEXEC, 0600);
    if (s->fd >= 0)
        return s;
    p3_problem_errno(why, errno, "%s %s", doing, s->path);
    p3_mbox_spool_free(s, false);
    return NULL;
}

/* "<mbox>.pop3-<owner>-<name of the first message>". An existing file of that name is from a killed
 * run, and its evidence is recorded, because names are kept only for messages that were not found.
 */
p3_mbox_spool *p3_mbox_spool_make(const char *mbox, const char *owner, const char *name,
                                  p3_problem *why)
{
    size_t size = strlen(mbox) + sizeof P3_MBOX_FILE + strlen(owner) + strlen(name) + 1;
    char *path = malloc(size);
    if (path != NULL)
        snprintf(path, size, "%s" P3_MBOX_FILE "%s-%s", mbox, owner, name);
    p3_mbox_spool *s = new_spool(path, why);
    if (s == NULL)
        return NULL;
    s->fd = p3_outside_open(s->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (s->fd >= 0)
        return s;
    if (errno == EEXIST)
        (void)p3_outside_unlink(s->path);
    return open_file(s, O_RDWR | O_CREAT | O_EXCL, "writing to", why);
}

p3_mbox_spool *p3_mbox_spool_open(const char *path, p3_problem *why)
{
    p3_mbox_spool *s = new_spool(strdup(path), why);
    return s != NULL ? open_file(s, O_RDONLY, "reading", why) : NULL;
}

bool p3_mbox_spool_seal(const p3_mbox_spool *s, const p3_batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        if (dprintf(s->fd, "%s\n", b->parcels[i].name) < 0)
            return false;
    }
    return dprintf(s->fd, P3_TRAILER_FORMAT, s->length, s->offset, s->missing) > 0 &&
           fsync(s->fd) == 0 && p3_directory_sync_entry(s->path);
}

bool p3_mbox_spool_read(p3_mbox_spool *s, uint64_t *end, bool *sealed)
{
    char line[P3_TRAILER_LENGTH + 1] = "";
    struct stat st;
    *sealed = false;
    if (fstat(s->fd, &st) != 0)
        return false;
    if ((uint64_t)st.st_size < P3_TRAILER_LENGTH)
        return true;
    *end = (uint64_t)st.st_size - P3_TRAILER_LENGTH;
    if (!p3_read_at(s->fd, line, P3_TRAILER_LENGTH, *end))
        return false;
    int used = 0;
    *sealed = sscanf(line, "%20" SCNu64 " %20" SCNu64 " %1u end%n", &s->length, &s->offset,
                     &s->missing, &used) == 3 &&
              used == P3_TRAILER_LENGTH - 1 && s->length <= *end && s->missing <= 2;
    return true;
}

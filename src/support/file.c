/* Writes files, and controls the page cache of large ones. */
#include "support/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "system/write_back.h"

/* Octets written to the disk at a time, and how far behind they may leave memory. */
#define P3_STRIDE ((uint64_t)1024 * 1024)
#define P3_BEHIND ((uint64_t)8 * 1024 * 1024)

bool p3_write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        data += n;
        len -= (size_t)n;
    }
    return true;
}

bool p3_read_at(int fd, char *out, size_t size, uint64_t offset)
{
    ssize_t n = 0;
    for (size_t done = 0; done < size; done += (size_t)n) {
        n = pread(fd, out + done, size - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            n = 0;
        else if (n <= 0) {
            errno = n < 0 ? errno : EIO;
            return false;
        }
    }
    return true;
}

bool p3_sync_entry(const char *path, int (*opener)(const char *path, int flags, mode_t mode))
{
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    char *copy = strdup(path);
    if (copy == NULL)
        return false;
    const char *directory = dirname(copy);
    int fd = opener != NULL ? opener(directory, flags, 0) : open(directory, flags);
    bool ok = fd >= 0 && fsync(fd) == 0;
    int error = errno;
    if (fd >= 0)
        (void)close(fd);
    free(copy);
    errno = error;
    return ok;
}

void p3_file_send(int fd, uint64_t sent, uint64_t octets)
{
    p3_write_back(fd, sent, octets);
    if (octets > P3_BEHIND) /* from the start, including what the disk was late with */
        p3_leave_memory(fd, octets - P3_BEHIND);
}

uint64_t p3_file_grew(int fd, uint64_t sent, uint64_t octets)
{
    if (octets - sent < P3_STRIDE)
        return sent;
    p3_file_send(fd, sent, octets);
    return octets;
}

void p3_file_let_go(int fd)
{
    p3_leave_memory(fd, 0);
}

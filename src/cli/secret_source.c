/* Secrets in files. */
#include "cli/secret_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "settings/private_file.h"
#include "system/erase.h"

bool p3_secret_take_line(const char *data, size_t len, p3_secret *out, p3_problem *why)
{
    const char *lf = memchr(data, '\n', len);
    if (lf != NULL)
        len = (size_t)(lf - data);
    if (len > 0 && data[len - 1] == '\r')
        len--;
    if (len == 0)
        return p3_problem_set(why, EX_CONFIG,
                              "finding the password: the first line of what came is empty");
    if (memchr(data, '\0', len) != NULL)
        return p3_problem_set(why, EX_CONFIG,
                              "finding the password: what came has an octet NUL, which no password "
                              "can have");
    out->text = malloc(len + 1);
    if (out->text == NULL)
        return p3_problem_set(why, EX_OSERR, "out of memory");
    memcpy(out->text, data, len);
    out->text[len] = '\0';
    out->len = len;
    return true;
}

ssize_t p3_secret_read_file(const char *path, const char *what, char *out, size_t size,
                            p3_problem *why)
{
    char doing[64];
    snprintf(doing, sizeof doing, "reading the %s", what);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        p3_problem_errno(why, errno, "%s %s", doing, path);
        why->exit = EX_CONFIG;
        return -1;
    }
    if (!p3_private_file_check(fd, path, doing, why)) {
        (void)close(fd);
        return -1;
    }
    ssize_t n = read(fd, out, size);
    int error = errno;
    (void)close(fd);
    if (n < 0)
        p3_problem_errno(why, error, "%s %s", doing, path);
    return n;
}

bool p3_secret_from_file(const char *path, const char *what, p3_secret *out, p3_problem *why)
{
    char *room = malloc(P3_SECRET_SIZE);
    if (room == NULL)
        return p3_problem_set(why, EX_OSERR, "out of memory");
    ssize_t n = p3_secret_read_file(path, what, room, P3_SECRET_SIZE, why);
    bool ok = n >= 0 && p3_secret_take_line(room, (size_t)n, out, why);
    p3_erase(room, n > 0 ? (size_t)n : 0);
    free(room);
    return ok;
}

/* Secrets in files. */
#include "cli/secret_source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "confine/outside.h"
#include "settings/private_file.h"
#include "support/printable.h"

bool p3_secret_check(const char *data, size_t len, const char *doing, p3_problem *why)
{
    uint32_t c = 0;
    if (memchr(data, '\0', len) != NULL)
        return p3_problem_set(why, EX_CONFIG,
                              "%s: it contains a NUL, which a password cannot contain", doing);
    for (size_t at = 0, n; at < len; at += n) {
        n = p3_utf8_char(data + at, len - at, &c);
        if (n == 0 || c == '\r')
            return p3_problem_set(why, EX_CONFIG, "%s: the password %s, which is not allowed",
                                  doing, n == 0 ? "is not UTF-8" : "contains a CR");
    }
    return true;
}

bool p3_secret_read_line(const char *data, size_t len, const char *doing, p3_secret *out,
                         p3_problem *why)
{
    const char *lf = memchr(data, '\n', len);
    if (lf != NULL)
        len = (size_t)(lf - data);
    if (len > 0 && data[len - 1] == '\r')
        len--;
    if (len == 0)
        return p3_problem_set(why, EX_CONFIG, "%s: the first line is empty", doing);
    if (!p3_secret_check(data, len, doing, why))
        return false;
    out->text = malloc(len + 1);
    if (out->text == NULL)
        return p3_problem_memory(why);
    memcpy(out->text, data, len);
    out->text[len] = '\0';
    out->len = len;
    return true;
}

/* Reads a file that may contain a secret; `doing` begins a problem. */
static bool read_private(const char *path, size_t most, bool line, const char *doing, p3_input *out,
                         p3_problem *why)
{
    *out = (p3_input){0};
    int fd = p3_outside_read(path);
    bool may = fd >= 0 && p3_private_file_check(fd, path, doing, why);
    bool ok = may && p3_input_read(fd, most, line, out);
    if (fd < 0 || (may && !ok))
        (void)p3_input_problem(why, errno, doing, path);
    if (fd < 0)
        why->exit = EX_CONFIG; /* the file is only read */
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

bool p3_secret_read_key(const char *path, size_t most, p3_input *out, p3_problem *why)
{
    return read_private(path, most, false, "reading the token-key-file", out, why);
}

bool p3_secret_from_file(const char *path, const char *what, p3_secret *out, p3_problem *why)
{
    char doing[512];
    p3_input in;
    snprintf(doing, sizeof doing, "reading the %s", what);
    bool ok = read_private(path, P3_SECRET_SIZE, true, doing, &in, why);
    snprintf(doing, sizeof doing, "reading the %s %.300s", what, path);
    ok = ok && p3_secret_read_line(in.text, in.len, doing, out, why);
    p3_input_free(&in);
    return ok;
}

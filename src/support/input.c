/* Reads whole files, with a deadline and a maximum size. */
#include "support/input.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "support/clock.h"
#include "support/stop_request.h"
#include "system/erase.h"

/* Octets allocated first for a file of unknown size. */
#define P3_INPUT_FIRST ((size_t)4096)

int p3_input_open(const char *path)
{
    return open(path, P3_INPUT_FLAGS);
}

/* Makes room for `want` octets, and one more. */
static bool grow(p3_input *in, size_t *room, size_t want)
{
    char *text = malloc(want + 1);
    if (text == NULL)
        return false;
    if (in->text != NULL)
        memcpy(text, in->text, in->len);
    p3_input_free(&(p3_input){in->text, in->len});
    in->text = text;
    *room = want;
    return true;
}

/* Reads a piece. Returns its length, 0 at the end, or -1 with errno. `fresh`: nothing has been read
 * from this FIFO, which seems to be at its end as long as it has no writer. */
static ssize_t read_piece(int fd, bool fresh, char *out, size_t size, int64_t until)
{
    for (;;) {
        ssize_t n = read(fd, out, size);
        if (n > 0 || (n == 0 && !fresh) || (n < 0 && errno != EAGAIN && errno != EINTR))
            return n;
        int ready = p3_stop_request_poll(fd, POLLIN, until);
        bool asked = ready >= 0 && p3_stop_request_is_made();
        if (asked || (ready == 0 && p3_clock_ms() >= until))
            errno = asked ? ECANCELED : ETIMEDOUT;
        else if (ready >= 0) {
            fresh = fresh && ready == 0; /* otherwise a writer opened and closed it */
            continue;
        }
        return -1;
    }
}

static bool has_line(const p3_input *in)
{
    return in->text != NULL && memchr(in->text, '\n', in->len) != NULL;
}

bool p3_input_read(int fd, size_t most, bool line, p3_input *out)
{
    struct stat st;
    size_t room = 0;
    ssize_t n = 1;
    const int64_t until = p3_clock_ms() + P3_INPUT_WAIT_MS;
    *out = (p3_input){0};
    if (fstat(fd, &st) != 0)
        return false;
    bool whole = S_ISREG(st.st_mode) && !line;
    bool fits = !whole || (uintmax_t)st.st_size <= most;
    size_t first = whole && fits ? (size_t)st.st_size + 1 : P3_INPUT_FIRST;
    while (fits && n > 0 && (!line || !has_line(out))) {
        size_t want = room == 0 ? first : room > most / 2 ? most + 1 : 2 * room;
        if (out->len == room && !grow(out, &room, want))
            return false;
        bool fresh = S_ISFIFO(st.st_mode) && out->len == 0;
        n = read_piece(fd, fresh, out->text + out->len, room - out->len, until);
        out->len += n > 0 ? (size_t)n : 0;
        fits = out->len <= most;
    }
    if (!fits)
        errno = EFBIG;
    else if (n >= 0)
        out->text[out->len] = '\0';
    return fits && n >= 0;
}

bool p3_input_read_text(const char *path, size_t most, p3_input *out)
{
    *out = (p3_input){0};
    int fd = p3_input_open(path);
    bool ok = fd >= 0 && p3_input_read(fd, most, false, out);
    if (ok && memchr(out->text, '\0', out->len) != NULL) {
        errno = EILSEQ;
        ok = false;
    }
    int error = errno;
    if (fd >= 0)
        (void)close(fd);
    errno = error;
    return ok;
}

bool p3_input_problem(p3_problem *why, int error, const char *doing, const char *path)
{
    if (error == EFBIG)
        return p3_problem_set(why, EX_CONFIG, "%s %.300s: it is too large for such a file", doing,
                              path);
    if (error == EILSEQ)
        return p3_problem_set(why, EX_CONFIG, "%s %.300s: " P3_INPUT_NUL, doing, path);
    if (error == ETIMEDOUT)
        return p3_problem_set(
            why, EX_CONFIG,
            "%s %.300s: it is no ordinary file, and whoever writes into it did not "
            "get to its end within %d s",
            doing, path, P3_INPUT_WAIT_MS / 1000);
    return p3_problem_errno(why, error, "%s %.300s", doing, path);
}

void p3_input_free(p3_input *input)
{
    if (input->text != NULL)
        p3_erase(input->text, input->len);
    free(input->text);
    *input = (p3_input){0};
}

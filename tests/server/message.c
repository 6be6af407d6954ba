/* A message file as it goes over the wire: line ends, dot-stuffing, the final CRLF.
 * The file is read, not mapped: a test may shorten it meanwhile, and a mapping would then fault. */
#define _POSIX_C_SOURCE 200809L
#include "message.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK = 65536 };

struct walk {
    struct conn *to; /* NULL: only count */
    enum line_ends ends;
    int64_t body_lines; /* still to send once the header is over; WHOLE_MESSAGE: all */
    uint64_t octets;    /* before stuffing */
    bool line_start;
    bool after_cr;   /* the octet before this one was CR, in the same line */
    bool line_empty; /* nothing but perhaps a CR so far */
    bool in_body;
    bool done; /* body_lines were sent */
};

static enum io put(struct walk *w, const char *data, size_t len)
{
    w->octets += len;
    return w->to != NULL ? conn_put(w->to, data, len) : IO_OK;
}

static void end_line(struct walk *w)
{
    if (w->in_body && w->body_lines > 0) {
        w->body_lines--;
    }
    if (!w->in_body && w->line_empty) {
        w->in_body = true;
    }
    w->done = w->in_body && w->body_lines == 0;
    w->line_start = true;
    w->line_empty = true;
}

/* Takes a chunk, cut anywhere. */
static enum io walk(struct walk *w, const char *p, size_t len)
{
    const char *end = p + len;
    enum io result = IO_OK;
    while (p < end && !w->done && result == IO_OK) {
        if (w->line_start && *p == '.' && w->to != NULL) {
            result = conn_put(w->to, ".", 1); /* RFC 1939 §3 */
            if (result != IO_OK) {
                break;
            }
        }
        w->line_start = false;
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        const char *stop = lf != NULL ? lf : end;
        bool has_cr = stop > p ? stop[-1] == '\r' : w->after_cr;
        if (stop - p > (has_cr ? 1 : 0) || (stop > p && w->after_cr)) {
            w->line_empty = false;
        }
        if (lf == NULL) {
            w->after_cr = has_cr;
            return put(w, p, (size_t)(end - p));
        }
        w->after_cr = false;
        if (has_cr || w->ends == ENDS_KEEP) {
            result = put(w, p, (size_t)(lf + 1 - p));
        } else {
            result = put(w, p, (size_t)(lf - p));
            if (result == IO_OK) {
                result = put(w, "\r\n", 2);
            }
        }
        if (has_cr || w->ends == ENDS_CRLF) {
            end_line(w);
        } else {
            w->line_empty = false;
        }
        p = lf + 1;
    }
    return result;
}

static ssize_t read_chunk(int fd, char *to, size_t size)
{
    ssize_t n;
    do {
        n = read(fd, to, size);
    } while (n < 0 && errno == EINTR);
    return n;
}

static enum io walk_file(struct walk *w, int fd)
{
    char chunk[CHUNK];
    ssize_t n = 0;
    while (!w->done && (n = read_chunk(fd, chunk, sizeof chunk)) > 0) {
        enum io result = walk(w, chunk, (size_t)n);
        if (result != IO_OK) {
            return result;
        }
    }
    if (n < 0) {
        return IO_FAILED;
    }
    return w->line_start ? IO_OK : put(w, "\r\n", 2);
}

enum io message_send(struct conn *c, int fd, enum line_ends ends, int64_t body_lines,
                     uint64_t *octets)
{
    struct walk w = {
        .to = c, .ends = ends, .body_lines = body_lines, .line_start = true, .line_empty = true};
    enum io result = walk_file(&w, fd);
    *octets = w.octets;
    return result;
}

bool message_octets(int fd, uint64_t *octets)
{
    struct walk w = {
        .ends = ENDS_CRLF, .body_lines = WHOLE_MESSAGE, .line_start = true, .line_empty = true};
    enum io result = walk_file(&w, fd);
    *octets = w.octets;
    return result == IO_OK;
}

enum io message_send_raw(struct conn *c, int fd, uint64_t *octets)
{
    char chunk[CHUNK];
    ssize_t n;
    *octets = 0;
    while ((n = read_chunk(fd, chunk, sizeof chunk)) > 0) {
        enum io result = conn_put(c, chunk, (size_t)n);
        if (result != IO_OK) {
            return result;
        }
        *octets += (uint64_t)n;
    }
    return n < 0 ? IO_FAILED : IO_OK;
}

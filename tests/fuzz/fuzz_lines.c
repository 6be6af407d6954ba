/* Fuzzing lines and bodies: whatever pieces the input comes in, the lines are the same, and the
 * message is what a plain reading of RFC 1939 §3 says. */
#include "core/body.h"
#include "core/line.h"
#include "core/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST 128 /* octets of a line, its end included */

/* What came of one way to cut the input. */
typedef struct outcome {
    char *octets; /* of the message; room for the whole input */
    size_t len;
    size_t used; /* octets of the input, up to the end of the message */
    bool ended;
    bool between_crlf; /* p3_body_ended_with_crlf() */
} outcome;

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void *allocated(size_t size)
{
    void *p = malloc(size > 0 ? size : 1);
    must(p != NULL);
    return p;
}

/* The message in pieces of `step` octets, each in memory of its own. */
static outcome by_pieces(const char *data, size_t size, size_t step, bool lf_cr)
{
    outcome o = {.octets = allocated(size)};
    p3_body b;
    p3_body_begin(&b, true, lf_cr);
    for (size_t at = 0; at < size && !o.ended;) {
        size_t n = step < size - at ? step : size - at;
        char *piece = allocated(n);
        memcpy(piece, data + at, n);
        const char *p = piece;
        while (p < piece + n && !o.ended) {
            pop3_str chunk;
            o.ended = p3_body_take(&b, &p, piece + n, &chunk);
            must(!o.ended || chunk.len == 0);
            must(chunk.len <= size - o.len);
            if (chunk.len > 0)
                memcpy(o.octets + o.len, chunk.data, chunk.len);
            o.len += chunk.len;
        }
        o.used = at + (size_t)(p - piece);
        at += n;
        free(piece);
    }
    o.between_crlf = o.ended && p3_body_ended_with_crlf(&b);
    return o;
}

/* The same by the book: line by line, a line ending at its LF. Only whole messages can be compared:
 * octets that wait for their line's end have no place here. */
static bool by_the_book(const char *data, size_t size, outcome *o)
{
    *o = (outcome){.octets = allocated(size)};
    while (o->used < size) {
        const char *line = data + o->used;
        const char *lf = memchr(line, '\n', size - o->used);
        if (lf == NULL)
            return false;
        size_t len = (size_t)(lf - line) + 1;
        o->used += len;
        if (line[0] == '.' && (len == 2 || (len == 3 && line[1] == '\r'))) {
            o->ended = true;
            return true;
        }
        size_t stuffed = line[0] == '.' && line[1] == '.' ? 1 : 0;
        memcpy(o->octets + o->len, line + stuffed, len - stuffed);
        o->len += len - stuffed;
    }
    return false;
}

static void compare(const outcome *a, const outcome *b)
{
    must(a->ended == b->ended && a->used == b->used);
    must(!a->ended || (a->len == b->len && memcmp(a->octets, b->octets, a->len) == 0));
}

static void try_body(const char *data, size_t size)
{
    static const size_t steps[] = {1, 2, 3, 7, 64};
    outcome whole = by_pieces(data, size, SIZE_MAX, false);
    outcome book;
    if (by_the_book(data, size, &book))
        compare(&whole, &book);
    else
        must(!whole.ended);
    free(book.octets);
    outcome whole_lf_cr = by_pieces(data, size, SIZE_MAX, true);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        outcome cut = by_pieces(data, size, steps[i], false);
        compare(&whole, &cut);
        must(cut.between_crlf == whole.between_crlf);
        free(cut.octets);
        cut = by_pieces(data, size, steps[i], true);
        compare(&whole_lf_cr, &cut);
        free(cut.octets);
    }
    free(whole_lf_cr.octets);
    free(whole.octets);
}

/* All lines of the input, one after the other with a NUL between; and how it ended. */
static outcome lines_of(const char *data, size_t size, size_t step)
{
    outcome o = {.octets = allocated(2 * size + 1)};
    p3_line l;
    must(p3_line_init(&l, LONGEST));
    p3_line_result result = P3_LINE_MORE;
    for (size_t at = 0; at < size && result != P3_LINE_TOO_LONG;) {
        size_t n = step < size - at ? step : size - at;
        char *piece = allocated(n);
        memcpy(piece, data + at, n);
        const char *p = piece;
        pop3_str line;
        p3_line_end how;
        while ((result = p3_line_take(&l, &p, piece + n, &line, &how)) == P3_LINE_READY) {
            must(line.len < LONGEST && !(how.crlf && how.leading_cr));
            if (line.len > 0)
                memcpy(o.octets + o.len, line.data, line.len);
            o.len += line.len;
            o.octets[o.len++] = '\0';
        }
        must(result == P3_LINE_TOO_LONG || p == piece + n);
        at += n;
        free(piece);
    }
    o.ended = result == P3_LINE_TOO_LONG;
    p3_line_free(&l);
    return o;
}

static void try_lines(const char *data, size_t size)
{
    static const size_t steps[] = {1, 2, 5, 33, 127, 128, 129};
    outcome whole = lines_of(data, size, SIZE_MAX);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        outcome cut = lines_of(data, size, steps[i]);
        must(cut.ended == whole.ended && cut.len == whole.len);
        must(memcmp(cut.octets, whole.octets, cut.len) == 0);
        free(cut.octets);
    }
    free(whole.octets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 1024) /* each octet is an allocation */
        return 0;
    try_body((const char *)data, size);
    try_lines((const char *)data, size);
    return 0;
}

/* The body of a RETR or TOP: finds stuffed dots and the end (RFC 1939 §3). */
#include "core/body.h"

#include "core/scan.h"
#include "core/text.h"

#include <string.h>

void p3_body_begin(p3_body *b, bool line_crlf, bool lf_cr)
{
    *b = (p3_body){
        .place = lf_cr ? P3_BODY_AFTER_LF : P3_BODY_LINE_START,
        .line_crlf = line_crlf,
        .lf_cr = lf_cr,
    };
}

bool p3_body_ended_with_crlf(const p3_body *b)
{
    return b->line_crlf && b->end_crlf;
}

/* The end of the octets from p that can be returned at once: after an LF that is followed by a dot,
 * or the end of the input. */
static const char *run_end(const p3_body *b, const char *p, const char *end)
{
    if (b->lf_cr) {
        /* Lines start with a CR, so LF and dot are not adjacent: each line must be checked. */
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        return lf == NULL ? end : lf + 1;
    }
    const char *lf = p3_find_lf_dot(p, end);
    return lf == NULL ? end : lf + 1;
}

/* Returns [p, to), which is not empty, and records how it ends. */
static void hand_out(p3_body *b, const char **p, const char *to, pop3_str *chunk)
{
    const char *from = *p;
    *chunk = p3_span(from, (size_t)(to - from));
    if (to[-1] == '\n') {
        b->line_crlf = to - from >= 2 ? to[-2] == '\r' : b->last_cr;
        b->place = b->lf_cr ? P3_BODY_AFTER_LF : P3_BODY_LINE_START;
    } else {
        b->place = P3_BODY_INSIDE;
    }
    b->last_cr = to[-1] == '\r';
    *p = to;
}

/* At or after a dot that started a line: finds out what it means. Returns true at the end. */
static bool take_dot(p3_body *b, const char **p, const char *end, pop3_str *chunk)
{
    if (b->place == P3_BODY_LINE_START) {
        (*p)++;
        b->place = P3_BODY_DOT;
        if (*p == end)
            return false;
    }
    char c = **p;
    if (c == '\n') {
        (*p)++;
        b->end_crlf = b->place == P3_BODY_DOT_CR;
        return true;
    }
    if (b->place == P3_BODY_DOT && c == '\r') {
        (*p)++;
        b->place = P3_BODY_DOT_CR;
        return *p < end ? take_dot(b, p, end, chunk) : false;
    }
    /* Not the end. After a second dot: the first was stuffing, and the line starts with the second.
     * Otherwise the server did not stuff, and the octets held back belong to the message. */
    if (b->place == P3_BODY_DOT_CR)
        *chunk = p3_span(".\r", 2);
    else if (c != '.')
        *chunk = p3_span(".", 1);
    b->place = P3_BODY_INSIDE;
    return false;
}

/* After the LF of LF CR: takes the CR, which belongs to the message unless it ends the status line.
 */
static void take_cr(p3_body *b, const char **p, pop3_str *chunk)
{
    if (**p == '\r') {
        if (b->begun)
            *chunk = p3_span(*p, 1);
        (*p)++;
    }
    b->begun = true;
    b->place = P3_BODY_LINE_START;
}

bool p3_body_take(p3_body *b, const char **p, const char *end, pop3_str *chunk)
{
    *chunk = p3_span(NULL, 0);
    while (*p < end && chunk->len == 0) {
        switch (b->place) {
        case P3_BODY_LINE_START:
            if (**p == '.') {
                if (take_dot(b, p, end, chunk))
                    return true;
            } else {
                hand_out(b, p, run_end(b, *p, end), chunk);
            }
            break;
        case P3_BODY_AFTER_LF:
            take_cr(b, p, chunk);
            break;
        case P3_BODY_INSIDE:
            hand_out(b, p, run_end(b, *p, end), chunk);
            break;
        case P3_BODY_DOT:
        case P3_BODY_DOT_CR:
            if (take_dot(b, p, end, chunk))
                return true;
            break;
        }
    }
    return false;
}

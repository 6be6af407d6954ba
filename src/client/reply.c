/* A copy of a reply, which outlives the received octets. */
#include "client/reply.h"

#include "core/text.h"

#include <stdlib.h>
#include <string.h>

/* A part of a line, in the copy of the line. */
static pop3_str moved(pop3_str part, pop3_str line, const char *copy)
{
    return part.len > 0 ? p3_span(copy + (part.data - line.data), part.len) : (pop3_str){0};
}

void p3_reply_keep(p3_kept_reply *to, const pop3_reply *from)
{
    pop3_reply r = *from;
    to->reply = (pop3_reply){.ok = r.ok, .code = r.code};
    if (r.line.len == 0)
        return;
    if (r.line.len > to->size) {
        char *grown = malloc(r.line.len);
        if (grown == NULL)
            return;
        free(to->data);
        to->data = grown;
        to->size = r.line.len;
    }
    memmove(to->data, r.line.data, r.line.len);
    to->reply.line = p3_span(to->data, r.line.len);
    to->reply.text = moved(r.text, r.line, to->data);
    to->reply.code_text = moved(r.code_text, r.line, to->data);
}

void p3_reply_forget(p3_kept_reply *kept)
{
    kept->reply = (pop3_reply){0};
}

void p3_reply_free(p3_kept_reply *kept)
{
    free(kept->data);
    *kept = (p3_kept_reply){0};
}

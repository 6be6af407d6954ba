/* pop3 cat and pop3 top: print messages, or their beginnings, unchanged. */
#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/message_selection.h"

/* Where messages are written: to files and pipes octet for octet, to a terminal without control
 * characters. */
typedef struct p3_destination {
    bool is_terminal;
    bool failed;
    uint64_t octets; /* of the current message */
    p3_printer printer;
} p3_destination;

static pop3_sink_result to_output(void *ctx, const char *data, size_t len)
{
    p3_destination *d = ctx;
    d->octets += len;
    d->failed = d->is_terminal ? !p3_printer_put(&d->printer, data, len)
                               : !p3_write_octets(stdout, data, len);
    return d->failed ? POP3_SINK_ABORT : POP3_SINK_CONTINUE;
}

/* The part of a complete message that TOP would show. */
typedef struct p3_beginning {
    p3_destination *to;
    bool in_body;
    bool in_line;   /* the current line has octets besides its end */
    uint64_t lines; /* remaining lines of the body */
} p3_beginning;

/* The number of octets of `data` that belong to it. */
static size_t beginning_of(p3_beginning *b, const char *data, size_t len)
{
    size_t i = 0;
    while (i < len && !(b->in_body && b->lines == 0)) {
        char c = data[i++];
        if (c == '\n' && b->in_body)
            b->lines--;
        else if (c == '\n' && !b->in_line)
            b->in_body = true;
        b->in_line = c != '\n' && (b->in_line || c != '\r');
    }
    return i;
}

static pop3_sink_result to_beginning(void *ctx, const char *data, size_t len)
{
    p3_beginning *b = ctx;
    size_t most = beginning_of(b, data, len);
    pop3_sink_result result = most > 0 ? to_output(b->to, data, most) : POP3_SINK_CONTINUE;
    return result == POP3_SINK_CONTINUE && most < len ? POP3_SINK_DISCARD : result;
}

static pop3_status print_by_retr(p3_mailbox_session *m, uint32_t number, uint32_t lines,
                                 p3_destination *d)
{
    p3_beginning b = {.to = d, .lines = lines};
    pop3_status status = pop3_client_retr(m->client, number, to_beginning, &b);
    return status == POP3_ERR_CANCELLED && !d->failed ? POP3_OK : status;
}

static bool has_no_top(const p3_mailbox_session *m)
{
    return (m->options.traits.flags & POP3_TRAIT_NO_TOP) != 0;
}

/* Prints the header and the first lines, by RETR if the server is known to have no TOP or refuses
 * it. */
static pop3_status print_beginning(p3_mailbox_session *m, uint32_t number, uint32_t lines,
                                   p3_destination *d)
{
    if (!has_no_top(m)) {
        pop3_status status = pop3_client_top(m->client, number, lines, to_output, d);
        if (status != POP3_ERR_REFUSED)
            return status;
    }
    return print_by_retr(m, number, lines, d);
}

/* One message; `lines` < 0: completely. Prints an error, and returns the exit status. */
static int print_one(p3_mailbox_session *m, const p3_selection *s, uint32_t number, int64_t lines,
                     p3_destination *d)
{
    int result = EX_OK;
    p3_comeback back;
    pop3_status status;
    do {
        d->octets = 0;
        back = P3_COMEBACK_NO;
        status = lines < 0 ? pop3_client_retr(m->client, number, to_output, d)
                           : print_beginning(m, number, (uint32_t)lines, d);
        if (status != POP3_OK && lines >= 0 && d->octets == 0 && !has_no_top(m))
            back = p3_mailbox_come_back(m, status, &result);
    } while (back == P3_COMEBACK_DONE);
    if (back == P3_COMEBACK_FAILED || status == POP3_OK || d->failed)
        return d->failed ? EX_IOERR : result;
    return p3_selection_print_error(s, m, number, status);
}

/* Retrieves messages one by one; `lines` < 0: completely. */
static int print_messages(p3_mailbox_session *m, p3_selection *s, int64_t lines)
{
    p3_walk w = {.selection = s};
    p3_destination d = {.is_terminal = isatty(STDOUT_FILENO), .printer = {.out = stdout}};
    int result = p3_selection_find(s, m, false);
    m->has_messages = true;
    while (result == EX_OK && p3_walk_next(&w)) {
        result = print_one(m, s, w.number, lines, &d);
        if (d.is_terminal)
            d.failed = !p3_printer_end(&d.printer) || d.failed;
        if (d.failed)
            result = EX_IOERR;
    }
    return result;
}

static int cat_messages(p3_arguments *a, int64_t lines)
{
    p3_mailbox_session m;
    p3_selection s;
    p3_problem why;
    if (!p3_selection_read_named(&s, a, &why))
        return p3_print_problem(NULL, &why);
    int result = p3_mailbox_open(&m, a);
    if (result == EX_OK)
        result = print_messages(&m, &s, lines);
    result = p3_mailbox_close(&m, result);
    p3_selection_free(&s);
    return result;
}

int p3_cmd_cat(p3_arguments *a)
{
    return cat_messages(a, -1);
}

/* pop3 top: headers and the first lines, 0 or --lines of them. */
int p3_cmd_top(p3_arguments *a)
{
    return cat_messages(a, (int64_t)a->run.lines);
}

/* pop3 cat: messages as they are, one after the other. */
#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/output.h"
#include "cli/selection.h"

/* Where messages go: into files and pipes octet for octet, to a terminal without what commands it.
 */
typedef struct p3_destination {
    bool is_terminal;
    bool failed;
    p3_printer printer;
} p3_destination;

static pop3_sink_result to_output(void *ctx, const char *data, size_t len)
{
    p3_destination *d = ctx;
    d->failed = d->is_terminal ? !p3_printer_put(&d->printer, data, len)
                               : !p3_write_octets(stdout, data, len);
    return d->failed ? POP3_SINK_ABORT : POP3_SINK_CONTINUE;
}

/* Retrieves message by message; `lines` < 0: whole ones. */
static int print_messages(p3_session_with *m, p3_selection *s, int64_t lines)
{
    p3_walk w = {.selection = s};
    p3_destination d = {.is_terminal = isatty(STDOUT_FILENO), .printer = {.out = stdout}};
    int result = p3_selection_find(s, m, false);
    while (result == EX_OK && p3_walk_next(&w)) {
        pop3_status status =
            lines < 0 ? pop3_client_retr(m->client, w.number, to_output, &d)
                      : pop3_client_top(m->client, w.number, (uint32_t)lines, to_output, &d);
        if (d.is_terminal)
            d.failed = !p3_printer_end(&d.printer) || d.failed;
        if (d.failed)
            result = EX_IOERR;
        else if (status != POP3_OK)
            result = p3_selection_complain(s, m, w.number, status);
    }
    return result;
}

static int run(p3_arguments *a, int64_t lines)
{
    p3_session_with m;
    p3_selection s;
    p3_problem why;
    if (!p3_selection_read_named(&s, a, &why))
        return p3_complain(NULL, &why);
    int result = p3_mailbox_open(&m, a);
    if (result == EX_OK)
        result = print_messages(&m, &s, lines);
    result = p3_mailbox_close(&m, result);
    p3_selection_free(&s);
    return result;
}

int p3_cmd_cat(p3_arguments *a)
{
    return run(a, -1);
}

/* pop3 top: headers and the first lines, 0 or --lines of them. */
int p3_cmd_top(p3_arguments *a)
{
    return run(a, (int64_t)a->run.lines);
}

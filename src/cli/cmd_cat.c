/* pop3 cat: messages as they are, one after the other. */
#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "cli/mailbox.h"

static pop3_sink_result to_output(void *ctx, const char *data, size_t len)
{
    bool *failed = ctx;
    *failed = fwrite(data, 1, len, stdout) != len;
    return *failed ? POP3_SINK_ABORT : POP3_SINK_CONTINUE;
}

static int need_numbers(void)
{
    p3_problem why;
    p3_problem_set(&why, EX_USAGE, "which messages? Give their numbers, such as 3 or 5-9");
    return p3_complain(NULL, &why);
}

/* Retrieves message by message; `lines` < 0: whole ones. */
static int print_messages(p3_session_with *m, const p3_arguments *a, int64_t lines)
{
    pop3_stat drop;
    size_t count = 0;
    int result = EX_OK;
    bool failed = false;
    pop3_status status = pop3_client_stat(m->client, &drop);
    if (status != POP3_OK)
        return p3_mailbox_complain(m, status);
    uint32_t *numbers = p3_mailbox_numbers(a, drop.count, &count, &result);
    for (size_t i = 0; numbers != NULL && i < count && result == EX_OK; i++) {
        status = lines < 0
                     ? pop3_client_retr(m->client, numbers[i], to_output, &failed)
                     : pop3_client_top(m->client, numbers[i], (uint32_t)lines, to_output, &failed);
        if (failed)
            result = EX_IOERR;
        else if (status != POP3_OK)
            result = p3_mailbox_complain(m, status);
    }
    free(numbers);
    return result;
}

int p3_cmd_cat(p3_arguments *a)
{
    p3_session_with m;
    if (a->count < 2)
        return need_numbers();
    int result = p3_mailbox_open(&m, a);
    if (result == EX_OK)
        result = print_messages(&m, a, -1);
    return p3_mailbox_close(&m, result);
}

/* pop3 top: headers and the first lines, 0 or --lines of them. */
int p3_cmd_top(p3_arguments *a)
{
    p3_session_with m;
    p3_problem why;
    uint64_t lines = 0;
    if (a->lines != NULL && !p3_value_number(a->lines, UINT32_MAX, &lines)) {
        p3_problem_set(&why, EX_USAGE, "--lines: a number is expected");
        return p3_complain(NULL, &why);
    }
    if (a->count < 2)
        return need_numbers();
    int result = p3_mailbox_open(&m, a);
    if (result == EX_OK)
        result = print_messages(&m, a, (int64_t)lines);
    return p3_mailbox_close(&m, result);
}

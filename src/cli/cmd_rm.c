/* pop3 rm: deletes messages: all that are named, or none. */
#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "cli/output.h"
#include "cli/selection.h"

/* Marks the messages; when one cannot be, the marks are taken back. */
static int mark(p3_session_with *m, p3_selection *s, bool dry_run, size_t *count)
{
    p3_walk w = {.selection = s};
    int result = p3_selection_find(s, m, dry_run);
    p3_selection_merge(s); /* a server refuses to delete a message twice */
    while (result == EX_OK && p3_walk_next(&w)) {
        pop3_status status = dry_run ? POP3_OK : pop3_client_dele(m->client, w.number);
        if (status != POP3_OK) {
            result = p3_selection_complain(s, m, w.number, status);
            (void)pop3_client_rset(m->client); /* without QUIT nothing is deleted in any case */
        }
        ++*count;
    }
    return result;
}

int p3_cmd_rm(p3_arguments *a)
{
    p3_session_with m;
    p3_selection s;
    p3_problem why;
    size_t count = 0;
    if (!p3_selection_read_named(&s, a, &why))
        return p3_complain(NULL, &why);
    int result = p3_mailbox_open(&m, a);
    if (result == EX_OK)
        result = mark(&m, &s, a->run.dry_run, &count);
    result = p3_mailbox_close(&m, result);
    p3_selection_free(&s);
    if (result == EX_OK && !a->run.quiet)
        p3_print(stdout, "%zu message%s %s\n", count, count == 1 ? "" : "s",
                 a->run.dry_run ? "would be deleted" : "deleted");
    return result;
}

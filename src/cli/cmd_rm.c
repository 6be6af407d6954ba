/* pop3 rm: deletes all of the named messages, or none. */
#include "cli/command.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "cli/output.h"
#include "cli/message_selection.h"

/* Whether there are more messages than can be deleted in a session: the server would end it, and
 * none would be deleted. Prints an error then. */
static bool is_too_many(const p3_mailbox_session *m, const p3_selection *s)
{
    p3_walk w = {.selection = s};
    p3_problem why;
    uint32_t most = m->options.traits.quit_after;
    uint32_t count = 0;
    while (most > 0 && count <= most && p3_walk_next(&w))
        count++;
    if (count <= most)
        return false;
    p3_problem_set(&why, EX_UNAVAILABLE,
                   "the server ends a session after %" PRIu32
                   " deletions, so that none would be done; delete no more than that at a time",
                   most);
    (void)p3_print_problem(m->account->account.name, &why);
    return true;
}

/* Marks the messages; if one cannot be marked, removes all marks. */
static int mark(p3_mailbox_session *m, p3_selection *s, bool dry_run, size_t *count)
{
    p3_walk w = {.selection = s};
    int result = p3_selection_find(s, m, dry_run);
    p3_selection_merge(s); /* a server refuses to delete a message twice */
    if (result == EX_OK && !dry_run && is_too_many(m, s))
        result = EX_UNAVAILABLE;
    while (result == EX_OK && p3_walk_next(&w)) {
        pop3_status status = dry_run ? POP3_OK : pop3_client_dele(m->client, w.number);
        if (status != POP3_OK) {
            result = p3_selection_print_error(s, m, w.number, status);
            (void)pop3_client_rset(m->client); /* without QUIT nothing is deleted anyway */
        }
        ++*count;
    }
    return result;
}

int p3_cmd_rm(p3_arguments *a)
{
    p3_mailbox_session m;
    p3_selection s;
    p3_problem why;
    size_t count = 0;
    if (!p3_selection_read_named(&s, a, &why))
        return p3_print_problem(NULL, &why);
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

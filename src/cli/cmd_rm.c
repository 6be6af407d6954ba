/* pop3 rm: deletes messages: all that are named, or none. */
#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "cli/mailbox.h"

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Sorts; a server refuses to delete a message twice. Returns how many are left. */
static size_t without_repetitions(uint32_t *numbers, size_t count)
{
    size_t kept = 0;
    qsort(numbers, count, sizeof *numbers, compare);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || numbers[i] != numbers[kept - 1])
            numbers[kept++] = numbers[i];
    }
    return kept;
}

/* Marks the messages; when one cannot be, the marks are taken back. */
static int mark(p3_session_with *m, const p3_arguments *a, size_t *count)
{
    pop3_stat drop;
    int result = EX_OK;
    pop3_status status = pop3_client_stat(m->client, &drop);
    if (status != POP3_OK)
        return p3_mailbox_complain(m, status);
    uint32_t *numbers = p3_mailbox_numbers(a, drop.count, count, &result);
    if (numbers != NULL)
        *count = without_repetitions(numbers, *count);
    for (size_t i = 0; numbers != NULL && !a->dry_run && i < *count && result == EX_OK; i++) {
        status = pop3_client_dele(m->client, numbers[i]);
        if (status != POP3_OK) {
            result = p3_mailbox_complain(m, status);
            (void)pop3_client_rset(m->client); /* without QUIT nothing is deleted in any case */
        }
    }
    free(numbers);
    return result;
}

int p3_cmd_rm(p3_arguments *a)
{
    p3_session_with m;
    p3_problem why;
    size_t count = 0;
    if (a->count < 2) {
        p3_problem_set(&why, EX_USAGE, "which messages? Give their numbers, such as 3 or 5-9");
        return p3_complain(NULL, &why);
    }
    int result = p3_mailbox_open(&m, a);
    if (result == EX_OK)
        result = mark(&m, a, &count);
    result = p3_mailbox_close(&m, result);
    if (result == EX_OK && !a->quiet)
        printf("%zu message%s %s\n", count, count == 1 ? "" : "s",
               a->dry_run ? "would be deleted" : "deleted");
    return result;
}

/* pop3 uidl: prints the unique-ids of the messages. */
#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "cli/json.h"
#include "cli/output.h"
#include "support/printable.h"
#include "cli/message_selection.h"

static bool print_uid(uint32_t number, pop3_str uid, bool json)
{
    if (!json) {
        char *clean = p3_line_clean(uid.data, uid.len);
        bool ok = clean != NULL && p3_print(stdout, "%u %s\n", number, clean);
        free(clean);
        return ok;
    }
    json_t *o = json_object();
    json_object_set_new(o, "number", json_integer(number));
    json_object_set_new(o, "uid", p3_json_text(uid.data, uid.len));
    return p3_json_line(o);
}

/* All unique-ids, as they are received. */
typedef struct p3_uids {
    bool json;
    bool failed; /* printing failed */
} p3_uids;

static bool take_entry(void *ctx, const pop3_entry *e, pop3_str line)
{
    p3_uids *u = ctx;
    (void)line;
    u->failed = !print_uid(e->number, e->uid, u->json);
    return !u->failed;
}

static int print_all(p3_mailbox_session *m, bool json)
{
    p3_uids u = {.json = json};
    pop3_status status = pop3_client_uidl(m->client, take_entry, &u);
    if (u.failed)
        return EX_IOERR;
    return status == POP3_OK ? EX_OK : p3_mailbox_print_error(m, status);
}

/* Prints the selected ones. */
static int print_some(p3_mailbox_session *m, p3_selection *s, bool json)
{
    p3_walk w = {.selection = s};
    int result = p3_selection_find_uids(s, m);
    while (result == EX_OK && p3_walk_next(&w)) {
        if (!print_uid(w.number, w.uid, json))
            result = EX_IOERR;
    }
    return result;
}

/* Whether the server is known to have no unique-ids. Prints an error then. */
static bool has_none(const p3_mailbox_session *m)
{
    p3_problem why;
    if ((m->options.traits.flags & POP3_TRAIT_NO_UIDL) == 0)
        return false;
    p3_problem_set(&why, EX_UNAVAILABLE,
                   "UIDL is not sent: the server is known to have no unique-ids (traits = "
                   "no-uidl); to send it anyway, use --traits none");
    (void)p3_print_problem(m->account->account.name, &why);
    return true;
}

int p3_cmd_uidl(p3_arguments *a)
{
    p3_mailbox_session m;
    p3_selection s;
    p3_problem why;
    if (!p3_selection_read(&s, a, &why))
        return p3_print_problem(NULL, &why);
    int result = p3_mailbox_open(&m, a);
    if (result == EX_OK && has_none(&m))
        result = EX_UNAVAILABLE;
    else if (result == EX_OK)
        result = a->count > 1 ? print_some(&m, &s, a->run.json) : print_all(&m, a->run.json);
    result = p3_mailbox_close(&m, result);
    p3_selection_free(&s);
    return result;
}

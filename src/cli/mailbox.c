/* A logged-in session for the subcommands that look at one mailbox. */
#include "cli/mailbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "sync/failure_text.h"
#include "sync/login.h"
#include "sync/sync.h"

int p3_mailbox_complain(const p3_session_with *m, pop3_status status)
{
    p3_problem why;
    p3_describe_failure(m->client, status, &why);
    return p3_complain(m->account->account.name, &why);
}

int p3_mailbox_prepare(p3_session_with *m, p3_arguments *a)
{
    p3_problem why;
    *m = (p3_session_with){0};
    if (a->count < 1) {
        p3_problem_set(&why, EX_USAGE, "a URL or an account is missing; see `pop3 help`");
        return p3_complain(NULL, &why);
    }
    if (!p3_chosen_read(&m->chosen, a, a->rest, 1, false, &why))
        return p3_complain(p3_is_url(a->rest[0]) ? NULL : a->rest[0], &why); /* URLs: passwords */
    m->account = &m->chosen.at[0];
    m->sandbox = (p3_sandbox){.chosen = &m->chosen,
                              .edits_lines = a->edits_lines,
                              .is_told = a->run.verbose,
                              .off = !a->run.sandbox};
    p3_sandbox_prepare(&m->sandbox);
    p3_sandbox_enter(&m->sandbox, NULL, 0);
    pop3_client_options options = m->account->account.connection;
    options.engine.limits.entries = P3_MAILBOX_MOST;
    options.engine.limits.message_octets = m->account->account.message_limit;
    pop3_status status = pop3_client_new(&m->client, &options);
    if (status == POP3_OK)
        return EX_OK;
    p3_problem_set(&why, EX_CONFIG, "connecting: %s", pop3_status_message(status));
    return p3_complain(m->account->account.name, &why);
}

int p3_mailbox_login(p3_session_with *m)
{
    p3_problem why = {0};
    const p3_account *a = &m->account->account;
    if (!a->secret(a->secret_ctx, &m->secret, &why))
        return p3_complain(a->name, &why);
    pop3_login_options o;
    p3_login_options_for(a, &m->secret, &o);
    pop3_status status = pop3_login(m->client, &o);
    return status == POP3_OK ? EX_OK : p3_mailbox_complain(m, status);
}

int p3_mailbox_open(p3_session_with *m, p3_arguments *a)
{
    int result = p3_mailbox_prepare(m, a);
    if (result != EX_OK)
        return result;
    pop3_status status = pop3_client_connect(m->client);
    return status == POP3_OK ? p3_mailbox_login(m) : p3_mailbox_complain(m, status);
}

int p3_mailbox_close(p3_session_with *m, int status)
{
    if (status == EX_OK && m->client != NULL && pop3_client_state(m->client) != POP3_STATE_DEAD) {
        pop3_status quit = pop3_client_quit(m->client);
        if (quit != POP3_OK)
            status = p3_mailbox_complain(m, quit);
    }
    pop3_client_free(m->client);
    if (m->secret.text != NULL) {
        explicit_bzero(m->secret.text, m->secret.len);
        free(m->secret.text);
    }
    p3_sandbox_end(&m->sandbox);
    p3_chosen_free(&m->chosen);
    return status;
}

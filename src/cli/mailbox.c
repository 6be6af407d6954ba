/* A logged-in session for the subcommands that read one mailbox. */
#include "cli/mailbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "collect/failure_text.h"
#include "collect/login.h"
#include "collect/sync.h"
#include "system/erase.h"

int p3_mailbox_print_error(const p3_mailbox_session *m, pop3_status status)
{
    p3_problem why;
    p3_describe_failure_of(m->client, &m->account->account, status, &why);
    return p3_print_problem(m->account->account.name, &why);
}

static int make_client(p3_mailbox_session *m)
{
    p3_problem why;
    pop3_status status = pop3_client_new(&m->client, &m->options);
    if (status == POP3_OK)
        return EX_OK;
    p3_describe_no_client(status, &why);
    return p3_print_problem(m->account->account.name, &why);
}

int p3_mailbox_choose(p3_mailbox_session *m, p3_arguments *a)
{
    p3_problem why;
    *m = (p3_mailbox_session){0};
    if (a->count < 1) {
        p3_problem_set(&why, EX_USAGE, "a URL or an account is missing; see `pop3 help`");
        return p3_print_problem(NULL, &why);
    }
    if (!p3_chosen_read(&m->chosen, a, a->rest, 1, false, &why))
        return p3_print_problem(p3_is_url(a->rest[0]) ? NULL : a->rest[0],
                                &why); /* URLs contain passwords */
    m->account = &m->chosen.at[0];
    return EX_OK;
}

int p3_mailbox_prepare(p3_mailbox_session *m, p3_arguments *a)
{
    p3_remembered_read(&m->remembered, a, &m->account->account);
    if (m->remembered.problem.exit != 0 && a->run.verbose)
        (void)p3_print_problem(m->account->account.name, &m->remembered.problem);
    m->sandbox = (p3_sandbox){.chosen = &m->chosen,
                              .edits_lines = a->edits_lines,
                              .is_told = a->run.verbose,
                              .off = !a->run.sandbox};
    p3_sandbox_prepare(&m->sandbox);
    p3_sandbox_enter(&m->sandbox, NULL, 0);
    m->options = m->account->account.connection;
    if (!a->tests_server)
        m->options.traits = p3_remembered_traits(&m->remembered, &m->account->account);
    m->options.engine.limits.entries = P3_MAILBOX_MOST;
    m->options.engine.limits.message_octets = m->account->account.message_limit;
    return make_client(m);
}

/* Whether the server refused a token, and another one can be obtained. */
static bool may_renew(const p3_mailbox_session *m, pop3_status status)
{
    return m->secret.renewable && status == POP3_ERR_REFUSED &&
           pop3_client_error(m->client)->refused == POP3_REFUSED_TOKEN;
}

static pop3_status log_in(p3_mailbox_session *m)
{
    pop3_login_options o;
    p3_login_options_for(&m->account->account, &m->secret, &o);
    return pop3_login(m->client, &o);
}

static int print_login_error(const p3_mailbox_session *m, pop3_status status)
{
    p3_problem why;
    p3_describe_failure_of(m->client, &m->account->account, status, &why);
    p3_problem plain = why;
    if (status == POP3_ERR_CLOSED && pop3_login_outcome(m->client)->attempts > 0)
        p3_problem_set(&why, plain.exit,
                       "%.700s; if that happens each time, choose another mechanism with --auth",
                       plain.text);
    return p3_print_problem(m->account->account.name, &why);
}

int p3_mailbox_login(p3_mailbox_session *m)
{
    p3_problem why = {0};
    const p3_account *a = &m->account->account;
    if (m->secret.text == NULL && !a->secret(a->secret_ctx, &m->secret, &why))
        return p3_print_problem(a->name, &why);
    pop3_status status = log_in(m);
    if (may_renew(m, status)) {
        if (!a->secret(a->secret_ctx, &m->secret, &why))
            return p3_print_problem(a->name, &why);
        /* Servers close the connection after a refusal, or count refusals. */
        int result = p3_mailbox_reconnect(m, m->options.traits, false);
        if (result != EX_OK)
            return result;
        status = log_in(m);
    }
    return status == POP3_OK ? EX_OK : print_login_error(m, status);
}

static int connect_to(p3_mailbox_session *m, bool logs_in)
{
    pop3_status status = pop3_client_connect(m->client);
    if (status != POP3_OK)
        return p3_mailbox_print_error(m, status);
    return logs_in ? p3_mailbox_login(m) : EX_OK;
}

int p3_mailbox_open(p3_mailbox_session *m, p3_arguments *a)
{
    int result = p3_mailbox_choose(m, a);
    if (result == EX_OK)
        result = p3_mailbox_prepare(m, a);
    return result == EX_OK ? connect_to(m, true) : result;
}

int p3_mailbox_reconnect(p3_mailbox_session *m, pop3_server_traits traits, bool logs_in)
{
    pop3_client *old = m->client;
    m->options.traits = traits;
    int result = make_client(m);
    if (result != EX_OK)
        return result;
    pop3_client_free(old);
    return connect_to(m, logs_in);
}

/* Finds traits with which another connection may get further. Returns whether there are any. */
static bool find_another_way(const p3_mailbox_session *m, pop3_status status,
                             pop3_server_traits *out)
{
    if (status != POP3_ERR_CLOSED && status != POP3_ERR_TIMEOUT)
        return false;
    *out = *pop3_client_traits(m->client);
    pop3_server_traits more = pop3_server_traits_beyond(*out, m->options.traits);
    if ((more.flags & POP3_TRAIT_NO_LATE_CAPA) != 0)
        return true;
    bool together = m->options.engine.pipelining == POP3_PIPELINING_AUTO &&
                    pop3_client_pipelines(m->client) &&
                    (out->flags & POP3_TRAIT_ONE_AT_A_TIME) == 0;
    if (together) {
        out->flags |= POP3_TRAIT_ONE_AT_A_TIME;
        return true;
    }
    bool top = (out->flags & POP3_TRAIT_NO_TOP) == 0;
    out->flags |= POP3_TRAIT_NO_TOP;
    return top;
}

p3_comeback p3_mailbox_come_back(p3_mailbox_session *m, pop3_status status, int *result)
{
    pop3_server_traits traits;
    p3_problem lost;
    if (!find_another_way(m, status, &traits))
        return P3_COMEBACK_NO;
    p3_describe_failure(m->client, status, &lost);
    *result = p3_mailbox_reconnect(m, traits, true);
    if (*result == EX_OK)
        return P3_COMEBACK_DONE;
    (void)p3_print_problem(m->account->account.name, &lost); /* the reason for reconnecting */
    return P3_COMEBACK_FAILED;
}

int p3_mailbox_close(p3_mailbox_session *m, int status)
{
    if (status == EX_OK && m->client != NULL && pop3_client_state(m->client) != POP3_STATE_DEAD) {
        bool matters = m->has_messages || pop3_client_deletions(m->client) > 0;
        pop3_status quit = pop3_client_quit(m->client);
        if (quit != POP3_OK && (quit != POP3_ERR_REFUSED || matters))
            status = p3_mailbox_print_error(m, quit);
    }
    pop3_client_free(m->client);
    if (m->secret.text != NULL) {
        p3_erase(m->secret.text, m->secret.len);
        free(m->secret.text);
    }
    p3_sandbox_end(&m->sandbox);
    p3_chosen_free(&m->chosen);
    return status;
}

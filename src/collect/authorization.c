/* The secret, the connection, the login. */
#include "collect/authorization.h"

#include <stdlib.h>
#include <sysexits.h>

#include "collect/failure_text.h"
#include "collect/login.h"
#include "system/erase.h"

static void find_secret(p3_job *job)
{
    p3_authorization *a = (p3_authorization *)job;
    const p3_account *account = a->drop->account;
    if (!account->secret(account->secret_ctx, &a->secret, &a->problem) && a->problem.exit == 0)
        p3_problem_set(&a->problem, EX_CONFIG, "finding the password: there is none");
}

static void found(p3_job *job)
{
    p3_authorization *a = (p3_authorization *)job;
    a->searching = false;
    p3_maildrop_advance(a->drop);
}

void p3_authorization_find_secret(p3_authorization *a)
{
    const p3_account *account = a->drop->account;
    a->wants_secret = false;
    a->job = (p3_job){.run = find_secret, .over = found};
    if (account->secret != NULL && account->secret_at_hand) {
        find_secret(&a->job);
        return;
    }
    a->searching = true; /* set before the thread starts */
    if (account->secret == NULL || !p3_jobs_start(a->jobs, &a->job)) {
        a->searching = false;
        p3_problem_set(&a->problem, EX_OSERR, "finding the password: no thread for it");
    }
}

bool p3_authorization_has_secret(const p3_authorization *a)
{
    if (!a->searching && a->problem.exit != 0)
        p3_maildrop_failed(a->drop, &a->problem);
    return !a->searching && a->problem.exit == 0;
}

pop3_server_traits p3_authorization_traits(const p3_authorization *a)
{
    pop3_server_traits traits = *pop3_client_traits(a->drop->client);
    traits.flags &= a->only_deletes ? ~(uint32_t)POP3_TRAIT_NO_CAPA : UINT32_MAX;
    return traits;
}

/* Whether the server refused a token, and another one can be requested. */
static bool may_renew(const p3_authorization *a, pop3_status status)
{
    return a->secret.renewable && !a->renewed && status == POP3_ERR_REFUSED &&
           pop3_client_error(a->drop->client)->refused == POP3_REFUSED_TOKEN;
}

static void logged_in(void *ctx, pop3_client *client, const pop3_result *result)
{
    p3_authorization *a = ctx;
    const p3_listener *up = a->drop->listener;
    bool answered = result->status == POP3_OK || result->status == POP3_ERR_REFUSED;
    (void)client;
    if (a->drop->over)
        return;
    /* With one command at a time the server answers where it had fallen silent: it does not do what
     * it announces. If it had been silent again, it would only be slow, or gone. */
    if (answered && a->trust->one_at_a_time == P3_ONE_AT_A_TIME_SILENCE)
        p3_maildrop_learned(a->drop, POP3_TRAIT_ONE_AT_A_TIME);
    up->learned(up->ctx, p3_authorization_traits(a));
    a->done = result->status == POP3_OK;
    if (a->done)
        p3_maildrop_advance(a->drop);
    else if (may_renew(a, result->status))
        a->renewed = a->wants_secret = true; /* done when no callback runs */
    else
        p3_maildrop_lost(a->drop, result->status);
}

void p3_authorization_log_in(p3_authorization *a)
{
    p3_maildrop *d = a->drop;
    pop3_client_options o = d->account->connection;
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    handlers.done = logged_in;
    handlers.ctx = a;
    o.engine.limits.entries = P3_MAILBOX_MOST;
    o.engine.trust_message_ends = false; /* received messages are deleted */
    o.engine.prove_message_ends = true;
    o.traits = d->known.traits;
    a->only_deletes = a->trust->frugal && !a->trust->idle &&
                      d->account->removal != P3_REMOVE_NEVER && p3_maildrop_any_due(d);
    if (a->only_deletes) /* CAPA announces UTF8, which only matters to messages that are retrieved
                          */
        o.traits.flags |= POP3_TRAIT_NO_CAPA;
    if (p3_trust_goes_in_steps(a->trust))
        o.engine.pipelining = POP3_PIPELINING_OFF;
    pop3_client_free(d->client); /* of a login whose token was refused */
    d->client = NULL;
    pop3_status status = pop3_client_new(&d->client, &o);
    if (status == POP3_OK)
        status = pop3_client_start(d->client);
    if (status == POP3_OK)
        status = p3_log_in(d->client, d->account, &a->secret,
                           a->only_deletes ? a->trust->mechanism : NULL, &handlers);
    if (status == POP3_OK)
        return;
    p3_problem why;
    if (d->client != NULL)
        p3_describe_failure_of(d->client, d->account, status, &why);
    else
        p3_describe_no_client(status, &why);
    p3_maildrop_failed(d, &why);
}

void p3_authorization_forget(p3_authorization *a)
{
    if (a->secret.text != NULL) {
        p3_erase(a->secret.text, a->secret.len);
        free(a->secret.text);
    }
    a->secret = (p3_secret){0};
}

/* How a connection ended, and which error the caller gets. */
#include "client/ending.h"

#include <stdio.h>
#include <string.h>

static void name_place(p3_ending *e, const pop3_client_options *o)
{
    if (o->unix_socket != NULL)
        snprintf(e->place, sizeof e->place, "%s", o->unix_socket);
    else if (strchr(o->host, ':') != NULL)
        snprintf(e->place, sizeof e->place, "[%s]:%u", o->host, (unsigned)o->port);
    else
        snprintf(e->place, sizeof e->place, "%s:%u", o->host, (unsigned)o->port);
}

void p3_ending_set(p3_ending *e, const p3_failure *failure)
{
    e->failure = *failure;
    e->failure.value.message = e->failure.message;
    e->failure.value.server_text = e->failure.server_text;
}

void p3_ending_init(p3_ending *e, const pop3_client_options *o)
{
    p3_ending_set(e, &(p3_failure){0});
    name_place(e, o);
}

void p3_ending_begin(p3_ending *e)
{
    e->ended = POP3_OK;
    e->untold = false;
    p3_ending_set(e, &(p3_failure){0});
}

void p3_ending_note(p3_ending *e, const p3_fault *fault)
{
    p3_failure_write(&e->failure, e->place, fault);
    e->failure.value.message = e->failure.message;
    e->failure.value.server_text = e->failure.server_text;
}

void p3_ending_close(p3_ending *e, pop3_status ended)
{
    e->ended = ended;
}

void p3_ending_forgive(p3_ending *e)
{
    p3_ending_begin(e);
}

pop3_status p3_ending_call_begin(p3_ending *e)
{
    if (!e->untold)
        return POP3_OK;
    e->untold = false;
    p3_ending_set(e, &e->kept);
    return e->ended;
}

void p3_ending_call_over(p3_ending *e, pop3_status status)
{
    if (status != POP3_OK)
        e->kept = e->failure;
}

void p3_ending_call_end(p3_ending *e, pop3_status status, bool connected)
{
    e->untold = !connected && e->ended != POP3_OK && e->ended != status;
    if (!e->untold)
        return;
    p3_failure end = e->failure;
    if (status != POP3_OK)
        p3_ending_set(e, &e->kept);
    e->kept = end;
}

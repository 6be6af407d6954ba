/* pop3 capa: prints the capabilities after the login, or else those before it. */
#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/json.h"
#include "cli/mailbox.h"
#include "cli/output.h"
#include "support/printable.h"
#include "collect/failure_text.h"

static void print_clean(const char *text)
{
    char *clean = p3_line_clean(text, strlen(text));
    p3_print(stdout, "%s\n", clean != NULL ? clean : "");
    free(clean);
}

static bool print_lines(const pop3_capabilities *caps, bool json)
{
    json_t *list = json ? json_array() : NULL;
    for (size_t i = 0; i < caps->line_count; i++) {
        if (json)
            json_array_append_new(list, p3_json_text(caps->lines[i], strlen(caps->lines[i])));
        else
            print_clean(caps->lines[i]);
    }
    return !json || p3_json_line(list);
}

/* After the login the server announces nothing, for the reason `why`: requests the capabilities
 * before it. */
static int ask_before_login(p3_mailbox_session *m, const p3_problem *why,
                            const pop3_capabilities **caps)
{
    pop3_server_traits traits = *pop3_client_traits(m->client);
    int result = EX_UNAVAILABLE;
    p3_problem told;
    if ((traits.flags & POP3_TRAIT_NO_CAPA) == 0)
        result = p3_mailbox_reconnect(m, traits, false);
    if (result == EX_OK && pop3_client_capa(m->client, caps) == POP3_OK)
        p3_problem_set(&told, EX_OK, "%.700s; it announces this before the login", why->text);
    else
        told = *why;
    return p3_print_problem(m->account->account.name, &told);
}

/* Whether the server is known to close the connection on CAPA, and why it is not sent. */
static bool is_not_to_be_asked(const p3_mailbox_session *m, p3_problem *why)
{
    uint32_t known = pop3_client_traits(m->client)->flags;
    bool never = (known & POP3_TRAIT_NO_CAPA) != 0;
    pop3_trait trait = never ? POP3_TRAIT_NO_CAPA : POP3_TRAIT_NO_LATE_CAPA;
    bool remembered = (m->options.traits.flags & (uint32_t)trait) != 0;
    if ((known & (uint32_t)trait) == 0)
        return false;
    p3_problem_set(why, EX_UNAVAILABLE,
                   "CAPA%s is not sent: the server closes the connection on it (traits = %s)%s",
                   never ? "" : " after the login", pop3_trait_name(trait),
                   remembered ? "; to send it anyway, use --traits none" : "");
    return true;
}

static int ask_capabilities(p3_mailbox_session *m, const pop3_capabilities **caps)
{
    p3_problem why;
    if (is_not_to_be_asked(m, &why))
        return ask_before_login(m, &why, caps);
    pop3_status status = pop3_client_capa(m->client, caps);
    if (status == POP3_OK)
        return EX_OK;
    p3_describe_failure(m->client, status, &why);
    return ask_before_login(m, &why, caps);
}

int p3_cmd_capa(p3_arguments *a)
{
    p3_mailbox_session m;
    const pop3_capabilities *caps;
    int result = p3_mailbox_open(&m, a);
    if (result == EX_OK)
        result = ask_capabilities(&m, &caps);
    if (result == EX_OK && !print_lines(caps, a->run.json))
        result = EX_IOERR;
    return p3_mailbox_close(&m, result);
}

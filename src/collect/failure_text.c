/* Messages and exit statuses for failures of a client: one table. */
#include "collect/failure_text.h"

#include <errno.h>
#include <strings.h>
#include <sysexits.h>

#include "support/wording.h"

/* The condition of a row, besides its status. */
typedef enum p3_case {
    P3_CASE_ANY,
    P3_CASE_TEMPORARY, /* a later attempt may succeed */
    P3_CASE_CODE,      /* the response code is `detail` */
    P3_CASE_REFUSED,   /* what was refused is `detail` */
    P3_CASE_FAULT,     /* what is wrong with the certificate is `detail` */
    P3_CASE_TLS        /* why TLS failed is `detail` */
} p3_case;

/* The first matching row counts. */
typedef struct p3_meaning {
    pop3_status status;
    p3_case when;
    int detail;
    int exit;
    const char *advice; /* after "; ", or "" */
    bool of_command;    /* it names options of the command */
} p3_meaning;

static const p3_meaning meanings[] = {
    {POP3_ERR_REFUSED, P3_CASE_TEMPORARY, 0, EX_TEMPFAIL, "try again later", false},
    {POP3_ERR_REFUSED, P3_CASE_CODE, POP3_CODE_SYS_PERM, EX_UNAVAILABLE,
     "tell the server's administrator", false},
    {POP3_ERR_REFUSED, P3_CASE_REFUSED, POP3_REFUSED_CONNECTION, EX_UNAVAILABLE, "", false},
    {POP3_ERR_REFUSED, P3_CASE_REFUSED, POP3_REFUSED_PROTECTION, EX_UNAVAILABLE,
     "try TLS from the first octet (pop3s://, port 995)", true},
    {POP3_ERR_REFUSED, P3_CASE_REFUSED, POP3_REFUSED_QUIT, EX_TEMPFAIL,
     "messages that were to be deleted may still be there", false},
    {POP3_ERR_REFUSED, P3_CASE_REFUSED, POP3_REFUSED_COMMAND, EX_UNAVAILABLE, "", false},
    {POP3_ERR_REFUSED, P3_CASE_REFUSED, POP3_REFUSED_MECHANISM, EX_UNAVAILABLE,
     "choose another mechanism with --auth; `pop3 doctor` shows what the server offers",
     .of_command = true},
    {POP3_ERR_REFUSED, P3_CASE_REFUSED, POP3_REFUSED_APOP, EX_NOPERM,
     "if the server has no APOP secret for this user, log in with --auth USER (auth = USER)",
     .of_command = true},
    {POP3_ERR_REFUSED, P3_CASE_REFUSED, POP3_REFUSED_BINDING, EX_UNAVAILABLE,
     "the server did not check the password: choose another --channel-binding, or a mechanism "
     "without one with --auth",
     .of_command = true},
    {POP3_ERR_REFUSED, P3_CASE_REFUSED, POP3_REFUSED_TOKEN, EX_NOPERM,
     "get a new token, for this user and for POP3", false},
    {POP3_ERR_REFUSED, P3_CASE_REFUSED, POP3_REFUSED_IDENTITY, EX_NOPERM,
     "check the client certificate (EXTERNAL) or the Kerberos ticket (GSSAPI)", false},
    {POP3_ERR_REFUSED, P3_CASE_CODE, POP3_CODE_AUTH, EX_NOPERM,
     "check the user name and the password", false},
    {POP3_ERR_REFUSED, P3_CASE_REFUSED, POP3_REFUSED_CREDENTIALS, EX_NOPERM,
     "check the user name and the password, or choose another mechanism with --auth",
     .of_command = true},
    {POP3_ERR_REFUSED, P3_CASE_ANY, 0, EX_UNAVAILABLE, "", false},
    {POP3_ERR_CERTIFICATE, P3_CASE_FAULT, POP3_CERTIFICATE_NAME, EX_UNAVAILABLE,
     "connect to a name that it is valid for, or set the right name with --server-name",
     .of_command = true},
    {POP3_ERR_CERTIFICATE, P3_CASE_FAULT, POP3_CERTIFICATE_TIME, EX_UNAVAILABLE,
     "check this machine's clock, then tell the server's administrator", false},
    {POP3_ERR_CERTIFICATE, P3_CASE_FAULT, POP3_CERTIFICATE_UNTRUSTED, EX_UNAVAILABLE,
     "if this is the right server, set its certificate authority with --ca-file",
     .of_command = true},
    {POP3_ERR_CERTIFICATE, P3_CASE_FAULT, POP3_CERTIFICATE_PIN, EX_UNAVAILABLE,
     "if the server's administrator confirms a new key, set the new --pin", true},
    {POP3_ERR_CERTIFICATE, P3_CASE_ANY, 0, EX_UNAVAILABLE, "tell the server's administrator",
     false},
    {POP3_ERR_TLS, P3_CASE_TLS, POP3_TLS_FAULT_NOT_TLS, EX_UNAVAILABLE,
     "the server may offer TLS by STLS: try pop3:// (port 110)", true},
    {POP3_ERR_TLS, P3_CASE_TLS, POP3_TLS_FAULT_PLAINTEXT, EX_UNAVAILABLE,
     "tell the server's administrator", false},
    {POP3_ERR_TLS, P3_CASE_TLS, POP3_TLS_FAULT_NOTHING_SHARED, EX_UNAVAILABLE,
     "lower --tls-min, or set --certificate and --key if the server asks for a certificate",
     .of_command = true},
    {POP3_ERR_TLS, P3_CASE_TLS, POP3_TLS_FAULT_CLIENT, EX_UNAVAILABLE,
     "the server may ask for a client certificate: set --certificate and --key",
     .of_command = true},
    {POP3_ERR_TLS, P3_CASE_ANY, 0, EX_UNAVAILABLE, "", false},
    {POP3_ERR_NOT_OFFERED, P3_CASE_REFUSED, POP3_REFUSED_PROTECTION, EX_UNAVAILABLE,
     "try TLS from the first octet (pop3s://, port 995)", true},
    {POP3_ERR_NOT_OFFERED, P3_CASE_ANY, 0, EX_UNAVAILABLE,
     "`pop3 doctor` shows what the server offers", true},
    {POP3_ERR_AUTHENTICATION, P3_CASE_ANY, 0, EX_NOPERM, "", false},
    {POP3_ERR_INSECURE, P3_CASE_ANY, 0, EX_NOPERM,
     "use pop3s://, or allow it with --allow-plaintext", true},
    {POP3_ERR_RESOLVE, P3_CASE_TEMPORARY, 0, EX_TEMPFAIL,
     "check that this machine is connected, then the host name", false},
    {POP3_ERR_RESOLVE, P3_CASE_ANY, 0, EX_NOHOST,
     "check the host name, and whether this machine can resolve others", false},
    {POP3_ERR_CONNECT, P3_CASE_ANY, 0, EX_TEMPFAIL,
     "check the host and the port, or try again later", false},
    {POP3_ERR_TIMEOUT, P3_CASE_TLS, POP3_TLS_FAULT_EXPECTED, EX_TEMPFAIL,
     "if the port is one for TLS from the first octet, use pop3s:// (port 995); otherwise try "
     "again "
     "later",
     .of_command = true},
    {POP3_ERR_TIMEOUT, P3_CASE_ANY, 0, EX_TEMPFAIL, "try again later", false},
    {POP3_ERR_PROTOCOL, P3_CASE_ANY, 0, EX_PROTOCOL,
     "show the dialogue that --trace prints to the server's administrator", true},
    {POP3_ERR_LIMIT, P3_CASE_ANY, 0, EX_PROTOCOL,
     "show the dialogue that --trace prints to the server's administrator", true},
    {POP3_ERR_ARGUMENT, P3_CASE_ANY, 0, EX_CONFIG, "", false},
    {POP3_ERR_MEMORY, P3_CASE_ANY, 0, EX_OSERR, "", false},
};

static const p3_meaning otherwise = {POP3_OK, P3_CASE_ANY, 0, EX_TEMPFAIL, "", false};

static bool fits(const p3_meaning *m, const pop3_error *e)
{
    switch (m->when) {
    case P3_CASE_TEMPORARY:
        return e->temporary;
    case P3_CASE_CODE:
        return (int)e->code == m->detail;
    case P3_CASE_REFUSED:
        return (int)e->refused == m->detail;
    case P3_CASE_FAULT:
        return (int)e->certificate == m->detail;
    case P3_CASE_TLS:
        return (int)e->tls == m->detail;
    default:
        return true;
    }
}

static const p3_meaning *meaning_of(const pop3_error *e, pop3_status status)
{
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
        if (meanings[i].status == status && fits(&meanings[i], e))
            return &meanings[i];
    }
    return &otherwise;
}

static const char *advice_of(const p3_meaning *m)
{
    return m->of_command ? p3_in_command(m->advice) : m->advice;
}

void p3_describe_error(const pop3_error *e, pop3_status status, p3_problem *out)
{
    const p3_meaning *m = meaning_of(e, status);
    const char *advice = advice_of(m);
    bool told = e->status == status && e->message[0] != '\0';
    p3_problem_set(out, m->exit, "%s%s%s", told ? e->message : pop3_status_message(status),
                   advice[0] != '\0' ? "; " : "", advice);
}

void p3_describe_failure(const pop3_client *client, pop3_status status, p3_problem *out)
{
    p3_describe_error(pop3_client_error(client), status, out);
}

bool p3_takes_only_tokens(const pop3_client *client)
{
    const pop3_capabilities *c = pop3_client_capabilities(client);
    size_t tokens = 0;
    if (c == NULL || (c->flags & POP3_CAP_USER) != 0)
        return false;
    for (size_t i = 0; i < c->sasl_count; i++)
        tokens += (pop3_login_mechanism_needs(c->sasl[i]) & POP3_NEEDS_TOKEN) != 0;
    return tokens > 0 && tokens == c->sasl_count;
}

/* Whether a login failed in a way that may mean that a token is required. */
static bool may_want_token(const pop3_error *e, pop3_status status)
{
    return status == POP3_ERR_NOT_OFFERED ||
           (status == POP3_ERR_REFUSED && !e->temporary &&
            (e->refused == POP3_REFUSED_CREDENTIALS || e->refused == POP3_REFUSED_MECHANISM));
}

void p3_describe_no_client(pop3_status status, p3_problem *out)
{
    if (status == POP3_ERR_IO) /* for example, there are no more descriptors */
        p3_problem_errno(out, errno, "connecting");
    else
        p3_problem_set(out, status == POP3_ERR_MEMORY ? EX_OSERR : EX_CONFIG, "connecting: %s",
                       pop3_status_message(status));
}

void p3_describe_failure_of(const pop3_client *client, const p3_account *account,
                            pop3_status status, p3_problem *out)
{
    const pop3_error *e = pop3_client_error(client);
    const p3_token_hint *t = &account->tokens;
    bool refused = status == POP3_ERR_REFUSED && e->refused == POP3_REFUSED_TOKEN;
    const char *takes =
        p3_takes_only_tokens(client) ? "the server accepts OAuth 2.0 tokens only" : t->server_takes;
    p3_describe_failure(client, status, out);
    if (t->advice == NULL)
        return;
    p3_problem plain = *out;
    if (refused)
        p3_problem_set(out, plain.exit, "%.600s; %s%s%s", plain.text, t->advice, t->word, t->more);
    else if (takes != NULL && may_want_token(e, status))
        p3_problem_set(out, EX_NOPERM, "%.600s; %s: %s%s%s", e->message, takes, t->advice, t->word,
                       t->more);
}

void p3_describe_refused_message(const pop3_client *client, p3_problem *out)
{
    p3_describe_failure(client, POP3_ERR_REFUSED, out);
    out->exit = EX_TEMPFAIL;
}

const char *p3_advice_on_failure(const pop3_client *client, pop3_status status)
{
    return advice_of(meaning_of(pop3_client_error(client), status));
}

bool p3_is_for_later(const pop3_client *client, pop3_status status)
{
    return status == POP3_ERR_REFUSED && pop3_client_error(client)->temporary;
}

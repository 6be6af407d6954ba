/* What a client's failure means for people, and as an exit status. */
#include "sync/failure_text.h"

#include <sysexits.h>

static int exit_of_refusal(const pop3_error *e, bool login)
{
    switch (e->code) {
    case POP3_CODE_IN_USE:
    case POP3_CODE_LOGIN_DELAY:
    case POP3_CODE_SYS_TEMP:
        return EX_TEMPFAIL;
    case POP3_CODE_SYS_PERM:
        return EX_UNAVAILABLE;
    default:
        return login ? EX_NOPERM : EX_UNAVAILABLE;
    }
}

static int exit_of(const pop3_error *e, pop3_status status, bool login)
{
    switch (status) {
    case POP3_ERR_REFUSED:
        return exit_of_refusal(e, login);
    case POP3_ERR_AUTHENTICATION:
    case POP3_ERR_INSECURE:
        return EX_NOPERM;
    case POP3_ERR_RESOLVE:
        return EX_NOHOST;
    case POP3_ERR_CERTIFICATE:
    case POP3_ERR_TLS:
    case POP3_ERR_NOT_OFFERED:
        return EX_UNAVAILABLE;
    case POP3_ERR_PROTOCOL:
    case POP3_ERR_LIMIT:
        return EX_PROTOCOL;
    case POP3_ERR_ARGUMENT:
        return EX_CONFIG;
    case POP3_ERR_MEMORY:
        return EX_OSERR;
    default:
        return EX_TEMPFAIL;
    }
}

/* What a person can do about it. */
static const char *advice(const pop3_error *e, pop3_status status)
{
    switch (status) {
    case POP3_ERR_REFUSED:
        return e->code == POP3_CODE_AUTH || e->code == POP3_CODE_NONE
                   ? "; check the user name and the password"
                   : "";
    case POP3_ERR_CERTIFICATE:
        return "; if the server is the right one, name its authority with --ca-file";
    case POP3_ERR_INSECURE:
        return "; use pop3s://, or allow it with --allow-plaintext";
    case POP3_ERR_NOT_OFFERED:
        return "; `pop3 doctor` shows what the server offers";
    default:
        return "";
    }
}

void p3_describe_failure(const pop3_client *client, pop3_status status, bool login, p3_problem *out)
{
    const pop3_error *e = pop3_client_error(client);
    bool told = e->status == status && e->message[0] != '\0';
    bool advise = login || status != POP3_ERR_REFUSED;
    p3_problem_set(out, exit_of(e, status, login), "%s%s",
                   told ? e->message : pop3_status_message(status),
                   advise ? advice(e, status) : "");
}

bool p3_is_for_later(const pop3_client *client, pop3_status status)
{
    return status == POP3_ERR_REFUSED &&
           exit_of_refusal(pop3_client_error(client), true) == EX_TEMPFAIL;
}

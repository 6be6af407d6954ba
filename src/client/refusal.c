/* What a refusal is about, and whether it is temporary: by its response code, or by its text if the
 * server has no codes. */
#include "client/refusal.h"

#include "core/text.h"

#include <string.h>

/* A maildrop in use by another session, RFC 1939's own example; and busy servers. */
static const char *const of_a_while[] = {
    "already locked",      "acquire lock",          "obtain lock",        "lock maildrop",
    "lock mailbox",        "lock the mail",         "maildrop is locked", "maildrop locked",
    "mailbox is locked",   "mailbox locked",        "mailbox in use",     "maildrop in use",
    "mailbox is in use",   "maildrop is in use",    "in use by another",  "mailbox busy",
    "server busy",         "server too busy",       "server is busy",     "too many connections",
    "too many concurrent", "too many simultaneous", "too many sessions",  "too many logins",
    "try later",           "again later",           "temporary fail",     "temporary error",
    "temporary problem",   "temporarily",           "server error",       "internal error",
};

/* A command or mechanism that the server does not know, or not at present. */
static const char *const of_mechanism[] = {
    "unknown command",
    "unknown auth",
    "unknown mechanism",
    "unrecognized",
    "unrecognised",
    "not supported",
    "unsupported",
    "not implemented",
    "unimplemented",
    "invalid command",
    "bad command",
    "command not valid",
    "not enabled",
    "disabled",
    "mechanism not available",
    "no such command",
    "syntax error",
    "invalid mechanism",
    "authentication mechanism",
    "not recognized",
    "command not known",
};

bool p3_refusal_has(const pop3_reply *reply, const char *words)
{
    pop3_str text = reply->text;
    size_t len = strlen(words);
    for (size_t i = 0; i + len <= text.len; i++) {
        if (p3_equals_nocase(p3_span(text.data + i, len), words))
            return true;
    }
    return false;
}

static bool has_any(const pop3_reply *reply, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (p3_refusal_has(reply, words[i]))
            return true;
    }
    return false;
}

/* Whether a refusal has no code that says what it is about. */
static bool has_no_class(const pop3_reply *reply)
{
    return reply->code == POP3_CODE_NONE || reply->code == POP3_CODE_OTHER;
}

bool p3_refusal_is_temporary(const pop3_reply *reply)
{
    switch (reply->code) {
    case POP3_CODE_IN_USE:
    case POP3_CODE_LOGIN_DELAY:
    case POP3_CODE_SYS_TEMP:
        return true;
    case POP3_CODE_NONE:
    case POP3_CODE_OTHER:
        return has_any(reply, of_a_while, sizeof of_a_while / sizeof of_a_while[0]);
    default:
        return false;
    }
}

bool p3_refusal_is_vague(const pop3_reply *reply)
{
    return has_no_class(reply) && !p3_refusal_is_temporary(reply);
}

bool p3_refusal_is_of_mechanism(const pop3_reply *reply)
{
    return has_no_class(reply) &&
           has_any(reply, of_mechanism, sizeof of_mechanism / sizeof of_mechanism[0]);
}

pop3_refusal p3_refusal_of(pop3_command_kind command)
{
    switch (command) {
    case POP3_CMD_NONE:
        return POP3_REFUSED_CONNECTION;
    case POP3_CMD_STLS:
        return POP3_REFUSED_PROTECTION;
    case POP3_CMD_USER:
    case POP3_CMD_PASS:
    case POP3_CMD_APOP:
    case POP3_CMD_RPOP:
    case POP3_CMD_AUTH:
        return POP3_REFUSED_CREDENTIALS;
    case POP3_CMD_QUIT:
        return POP3_REFUSED_QUIT;
    default:
        return POP3_REFUSED_COMMAND;
    }
}

/* One table of commands: keyword and argument, which commands may share its window, the kind of
 * answer, and the effect of +OK on the session. */
#ifndef P3_CORE_COMMANDS_H
#define P3_CORE_COMMANDS_H

#include <pop3/types.h>

/* What follows the keyword. */
typedef enum p3_argument {
    P3_ARGUMENT_NONE,
    P3_ARGUMENT_TEXT,          /* any octets of a line, at least one */
    P3_ARGUMENT_NAME,          /* the same, in UTF-8 */
    P3_ARGUMENT_PASSWORD,      /* UTF-8, may be empty */
    P3_ARGUMENT_MECHANISM,     /* a SASL mechanism, optionally an initial response */
    P3_ARGUMENT_MESSAGE,       /* a message number */
    P3_ARGUMENT_MESSAGE_SIZE,  /* the same; the caller may give the size */
    P3_ARGUMENT_MESSAGE_LINES, /* a message number and a number of lines */
    P3_ARGUMENT_LINE           /* the whole line: the caller writes the keyword */
} p3_argument;

/* What may be in flight together with it. */
typedef enum p3_window_rule {
    P3_WINDOW_SHARED, /* any command that shares windows */
    P3_WINDOW_LAST,   /* commands sent before it; none after it */
    P3_WINDOW_ALONE   /* no other command */
} p3_window_rule;

/* The kind of answer after +OK. */
typedef enum p3_answer {
    P3_ANSWER_TEXT,         /* only the status line */
    P3_ANSWER_PLAIN,        /* the same, and its text is never the announcement of a message */
    P3_ANSWER_STAT,         /* a status line with the values of STAT */
    P3_ANSWER_SIZE,         /* a status line with one entry of LIST */
    P3_ANSWER_UID,          /* a status line with one entry of UIDL */
    P3_ANSWER_LINES,        /* lines up to a dot */
    P3_ANSWER_CAPABILITIES, /* the same, each a capability */
    P3_ANSWER_SIZES,        /* the same, each an entry of LIST */
    P3_ANSWER_UIDS,         /* the same, each an entry of UIDL */
    P3_ANSWER_PART,         /* a message's header and some lines, without an announced size */
    P3_ANSWER_MESSAGE       /* a message */
} p3_answer;

/* The effect of +OK, or of the end of the answer, on the session. */
typedef enum p3_effect {
    P3_EFFECT_NONE,
    P3_EFFECT_LOGIN,  /* leads to the TRANSACTION state */
    P3_EFFECT_TLS,    /* the handshake follows */
    P3_EFFECT_DELETE, /* marks a message */
    P3_EFFECT_RESET,  /* removes all marks */
    P3_EFFECT_END     /* the session ends, also after -ERR */
} p3_effect;

/* The part of its argument that is hidden in traces and errors. */
typedef enum p3_secrecy {
    P3_SECRECY_NONE,
    P3_SECRECY_ALL,    /* all of it */
    P3_SECRECY_TAIL,   /* everything after the first blank, and each response; a trace shows none */
    P3_SECRECY_UNKNOWN /* it may contain anything: a trace shows none */
} p3_secrecy;

typedef struct p3_command_row {
    const char *name; /* the keyword, or a name for people */
    p3_argument argument;
    p3_window_rule window;
    p3_answer answer;
    p3_effect effect;
    p3_secrecy secrecy;
} p3_command_row;

/* The row of a kind; NULL for one that does not exist. POP3_CMD_NONE has a row: the greeting's. */
const p3_command_row *p3_command_find(pop3_command_kind kind);

/* The row of a kind that is known to exist. */
const p3_command_row *p3_command_about(pop3_command_kind kind);

/* Whether lines up to a dot follow +OK, and whether these are a message or a part of one. */
bool p3_answer_has_lines(p3_answer answer);
bool p3_answer_is_message(p3_answer answer);

#endif

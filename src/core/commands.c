/* One table of commands. */
#include "core/commands.h"

#include <stddef.h>

#define ROW(kind, name, argument, window, answer, effect, secrecy)                                 \
    [POP3_CMD_##kind] = {name,                                                                     \
                         P3_ARGUMENT_##argument,                                                   \
                         P3_WINDOW_##window,                                                       \
                         P3_ANSWER_##answer,                                                       \
                         P3_EFFECT_##effect,                                                       \
                         P3_SECRECY_##secrecy}

/* From RFC 1939 if no other is named. The windows are those of RFC 2449 §6.6. */
static const p3_command_row rows[] = {
    /* clang-format off */
    /*  kind       name        argument       window  answer        effect  secrecy */
    ROW(NONE,      "greeting", NONE,          ALONE,  TEXT,         NONE,   NONE),
    ROW(CAPA,      "CAPA",     NONE,          SHARED, CAPABILITIES, NONE,   NONE),    /* RFC 2449 §5 */
    ROW(USER,      "USER",     NAME,          SHARED, TEXT,         NONE,   NONE),
    ROW(PASS,      "PASS",     PASSWORD,      LAST,   TEXT,         LOGIN,  ALL),
    ROW(APOP,      "APOP",     TEXT,          ALONE,  TEXT,         LOGIN,  TAIL),
    ROW(RPOP,      "RPOP",     TEXT,          ALONE,  TEXT,         LOGIN,  NONE),    /* RFC 1081 */
    ROW(AUTH,      "AUTH",     MECHANISM,     ALONE,  TEXT,         LOGIN,  TAIL),    /* RFC 5034 */
    ROW(STLS,      "STLS",     NONE,          ALONE,  TEXT,         TLS,    NONE),    /* RFC 2595 §4 */
    ROW(UTF8,      "UTF8",     NONE,          SHARED, TEXT,         NONE,   NONE),    /* RFC 6856 §2 */
    ROW(LANG,      "LANG",     TEXT,          SHARED, TEXT,         NONE,   NONE),    /* RFC 6856 §3 */
    ROW(LANG_LIST, "LANG",     NONE,          SHARED, LINES,        NONE,   NONE),
    ROW(STAT,      "STAT",     NONE,          SHARED, STAT,         NONE,   NONE),
    ROW(LIST,      "LIST",     NONE,          SHARED, SIZES,        NONE,   NONE),
    ROW(LIST_ONE,  "LIST",     MESSAGE,       SHARED, SIZE,         NONE,   NONE),
    ROW(UIDL,      "UIDL",     NONE,          SHARED, UIDS,         NONE,   NONE),
    ROW(UIDL_ONE,  "UIDL",     MESSAGE,       SHARED, UID,          NONE,   NONE),
    ROW(RETR,      "RETR",     MESSAGE_SIZE,  SHARED, MESSAGE,      NONE,   NONE),
    ROW(TOP,       "TOP",      MESSAGE_LINES, SHARED, PART,         NONE,   NONE),
    ROW(DELE,      "DELE",     MESSAGE,       SHARED, PLAIN,        DELETE, NONE),
    ROW(RSET,      "RSET",     NONE,          SHARED, TEXT,         RESET,  NONE),
    ROW(NOOP,      "NOOP",     NONE,          SHARED, PLAIN,        NONE,   NONE),
    ROW(QUIT,      "QUIT",     NONE,          ALONE,  TEXT,         END,    NONE),
    ROW(RAW,       "command",  LINE,          ALONE,  TEXT,         NONE,   UNKNOWN),
    ROW(RAW_LIST,  "command",  LINE,          ALONE,  LINES,        NONE,   UNKNOWN),
    /* clang-format on */
};

const p3_command_row *p3_command_find(pop3_command_kind kind)
{
    size_t i = (size_t)kind;
    return i < sizeof rows / sizeof rows[0] ? &rows[i] : NULL;
}

const p3_command_row *p3_command_about(pop3_command_kind kind)
{
    return &rows[kind];
}

const char *pop3_command_name(pop3_command_kind kind)
{
    const p3_command_row *row = p3_command_find(kind);
    return row == NULL ? "unknown" : row->name;
}

bool p3_answer_has_lines(p3_answer answer)
{
    return answer >= P3_ANSWER_LINES;
}

bool p3_answer_is_message(p3_answer answer)
{
    return answer >= P3_ANSWER_PART;
}

/* The command builder: checks arguments before anything is queued, and renders command lines. */
#include "core/builder.h"

#include "core/commands.h"
#include "core/sized.h"
#include "core/text.h"
#include "core/wipe.h"

#include <stdlib.h>
#include <string.h>

/* Longer than any reasonable argument, and much shorter than a server's buffer; the 255 octets of
 * RFC 2449 §4 are not enough for real user names and passwords. */
#define P3_MAX_ARGUMENT 8000
/* Tokens for XOAUTH2 and tickets for GSSAPI can have several kilobytes; RFC 5034 §4 sets no limit.
 */
#define P3_MAX_RESPONSE 65536

/* No CR, LF or NUL, and not too long: nothing that could inject or cut a command. */
static bool line_ok(pop3_str s, size_t most)
{
    if (s.len > most || (s.data == NULL && s.len > 0))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '\r' || s.data[i] == '\n' || s.data[i] == '\0')
            return false;
    }
    return true;
}

static bool base64_ok(pop3_str s)
{
    if (s.len > P3_MAX_RESPONSE || (s.data == NULL && s.len > 0))
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        bool ok = p3_is_digit(c) || (p3_upper(c) >= 'A' && p3_upper(c) <= 'Z') || c == '+' ||
                  c == '/' || c == '=';
        if (!ok)
            return false;
    }
    return true;
}

/* RFC 4422 §3.1: 1 to 20 upper-case letters, digits, hyphens and underscores. */
static bool mechanism_ok(pop3_str s)
{
    if (s.len == 0 || s.len > 20)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (!p3_is_digit(c) && !(p3_upper(c) >= 'A' && p3_upper(c) <= 'Z') && c != '-' && c != '_')
            return false;
    }
    return true;
}

bool p3_response_ok(pop3_str s)
{
    return base64_ok(s) || (s.len == 1 && s.data[0] == '*');
}

static bool text_ok(p3_argument argument, pop3_str s)
{
    switch (argument) {
    case P3_ARGUMENT_NAME:
        return s.len > 0 && p3_is_utf8(s);
    case P3_ARGUMENT_PASSWORD:
        return p3_is_utf8(s);
    case P3_ARGUMENT_MECHANISM:
        return mechanism_ok(s);
    case P3_ARGUMENT_TEXT:
    case P3_ARGUMENT_LINE:
        return s.len > 0;
    default:
        return s.len == 0;
    }
}

static bool is_of_a_message(p3_argument argument)
{
    return argument == P3_ARGUMENT_MESSAGE || argument == P3_ARGUMENT_MESSAGE_SIZE ||
           argument == P3_ARGUMENT_MESSAGE_LINES;
}

pop3_status p3_command_import(pop3_command *command, const pop3_command *from)
{
    if (from == NULL || !p3_import_struct(command, sizeof *command, from))
        return POP3_ERR_ARGUMENT;
    const p3_command_row *row = p3_command_find(command->kind);
    if (row == NULL || command->kind == POP3_CMD_NONE)
        return POP3_ERR_ARGUMENT;
    p3_argument argument = row->argument;
    bool ok = line_ok(command->text, P3_MAX_ARGUMENT) && text_ok(argument, command->text) &&
              (command->number > 0) == is_of_a_message(argument) &&
              (command->lines == 0 || argument == P3_ARGUMENT_MESSAGE_LINES) &&
              (command->octets == 0 || argument == P3_ARGUMENT_MESSAGE_SIZE);
    pop3_str initial = command->initial;
    if (ok && (initial.data != NULL || initial.len != 0))
        ok = argument == P3_ARGUMENT_MECHANISM && initial.len > 0 && base64_ok(initial);
    return ok ? POP3_OK : POP3_ERR_ARGUMENT;
}

pop3_status pop3_command_check(const pop3_command *command)
{
    pop3_command taken;
    return p3_command_import(&taken, command);
}

pop3_status p3_command_copy(p3_queued *out, const pop3_command *command)
{
    *out = (p3_queued){
        .kind = command->kind,
        .number = command->number,
        .lines = command->lines,
        .octets = command->octets,
        .tag = command->tag,
    };
    pop3_str text = command->text;
    pop3_str initial = command->initial;
    if (text.len == 0)
        return POP3_OK;
    size_t gap = initial.len > 0 ? 1 : 0;
    out->text = malloc(text.len + gap + initial.len);
    if (out->text == NULL)
        return POP3_ERR_MEMORY;
    out->text_len = text.len + gap + initial.len;
    memcpy(out->text, text.data, text.len);
    if (initial.len > 0) {
        out->text[text.len] = ' ';
        memcpy(out->text + text.len + 1, initial.data, initial.len);
    }
    return POP3_OK;
}

static char *put_octets(char *at, const char *s, size_t n)
{
    if (n > 0)
        memcpy(at, s, n);
    return at + n;
}

bool p3_command_render(p3_output *out, const p3_queued *command, pop3_str *line, size_t *public_len)
{
    enum { fixed = 8 + 2 * 21 + 2 }; /* keyword, two numbers with blanks, CRLF */
    char *start = p3_output_reserve(out, command->text_len + fixed);
    if (start == NULL)
        return false;
    const p3_command_row *row = p3_command_about(command->kind);
    char *at = start;
    if (row->argument != P3_ARGUMENT_LINE) {
        at = put_octets(at, row->name, strlen(row->name));
        if (command->text != NULL || row->argument == P3_ARGUMENT_PASSWORD)
            *at++ = ' ';
    }
    *public_len = (size_t)(at - start);
    at = put_octets(at, command->text, command->text_len);
    if (command->number > 0) {
        *at++ = ' ';
        at += p3_put_number(at, command->number);
    }
    if (row->argument == P3_ARGUMENT_MESSAGE_LINES) {
        *at++ = ' ';
        at += p3_put_number(at, command->lines);
    }
    *line = p3_span(start, (size_t)(at - start));
    if (row->secrecy == P3_SECRECY_NONE)
        *public_len = line->len;
    at = put_octets(at, "\r\n", 2);
    p3_output_commit(out, (size_t)(at - start));
    return true;
}

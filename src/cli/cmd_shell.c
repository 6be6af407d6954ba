/* pop3 shell: an interactive session, with line editing, history and completion. */
#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/line_editor.h"
#include "cli/mailbox.h"
#include "cli/output.h"
#include "support/printable.h"
#include "settings/text.h"
#include "settings/values.h"

typedef struct p3_shell {
    p3_mailbox_session m;
    uint32_t number; /* the message of the current command, or 0 */
    uint32_t lines;
    bool over;
    int result;
} p3_shell;

typedef struct p3_shell_command {
    const char *name;
    const char *help;
    pop3_status (*run)(p3_shell *s);
    bool needs_number;
} p3_shell_command;

static pop3_sink_result print_octets(void *ctx, const char *data, size_t len)
{
    return p3_printer_put(ctx, data, len) ? POP3_SINK_CONTINUE : POP3_SINK_ABORT;
}

/* Prints a line of the server's text. */
static void show_text(const char *text, size_t len)
{
    char *clean = p3_line_clean(text, len);
    p3_print(stdout, "%s\n", clean != NULL ? clean : "");
    free(clean);
}

/* Prints the status line of a command; returns its status. */
static pop3_status answered(const p3_shell *s, pop3_status status)
{
    const pop3_reply *r = pop3_client_reply(s->m.client);
    show_text(r->line.data, r->line.len);
    return status;
}

static bool show_line(void *ctx, const pop3_entry *entry, pop3_str line)
{
    (void)ctx;
    (void)entry;
    show_text(line.data, line.len);
    return true;
}

static pop3_status do_capa(p3_shell *s)
{
    const pop3_capabilities *caps;
    pop3_status status = pop3_client_capa(s->m.client, &caps);
    for (size_t i = 0; status == POP3_OK && i < caps->line_count; i++)
        show_text(caps->lines[i], strlen(caps->lines[i]));
    return status;
}

static pop3_status do_stat(p3_shell *s)
{
    return answered(s, pop3_client_stat(s->m.client, NULL));
}

static pop3_status do_list(p3_shell *s)
{
    return s->number == 0 ? pop3_client_list(s->m.client, show_line, NULL)
                          : answered(s, pop3_client_list_one(s->m.client, s->number, NULL));
}

static pop3_status do_uidl(p3_shell *s)
{
    return s->number == 0 ? pop3_client_uidl(s->m.client, show_line, NULL)
                          : answered(s, pop3_client_uidl_one(s->m.client, s->number, NULL));
}

static pop3_status do_retr(p3_shell *s)
{
    p3_printer p = {.out = stdout};
    pop3_status status = pop3_client_retr(s->m.client, s->number, print_octets, &p);
    p3_printer_end(&p);
    return status;
}

static pop3_status do_top(p3_shell *s)
{
    p3_printer p = {.out = stdout};
    pop3_status status = pop3_client_top(s->m.client, s->number, s->lines, print_octets, &p);
    p3_printer_end(&p);
    return status;
}

static pop3_status do_dele(p3_shell *s)
{
    return answered(s, pop3_client_dele(s->m.client, s->number));
}

static pop3_status do_rset(p3_shell *s)
{
    return answered(s, pop3_client_rset(s->m.client));
}

static pop3_status do_noop(p3_shell *s)
{
    return answered(s, pop3_client_noop(s->m.client));
}

static pop3_status do_quit(p3_shell *s)
{
    s->over = true;
    return pop3_client_quit(s->m.client);
}

static pop3_status do_abort(p3_shell *s)
{
    s->over = true;
    pop3_client_close(s->m.client);
    return POP3_OK;
}

static pop3_status do_help(p3_shell *s);

static const p3_shell_command commands[] = {
    {"abort", "leave without deleting anything", do_abort, false},
    {"capa", "what the server offers", do_capa, false},
    {"dele", "N: mark a message for deletion", do_dele, true},
    {"help", "this list", do_help, false},
    {"list", "[N]: sizes", do_list, false},
    {"noop", "do nothing, but keep the session alive", do_noop, false},
    {"quit", "leave, and delete the marked messages", do_quit, false},
    {"retr", "N: show a message", do_retr, true},
    {"rset", "unmark all messages", do_rset, false},
    {"stat", "the number of messages and of octets", do_stat, false},
    {"top", "N [LINES]: a message's header and first lines", do_top, true},
    {"uidl", "[N]: unique-ids", do_uidl, false},
};

static pop3_status do_help(p3_shell *s)
{
    (void)s;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        p3_print(stdout, "%-6s %s\n", commands[i].name, commands[i].help);
    return POP3_OK;
}

static const p3_shell_command *find_command(const char *word)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcasecmp(commands[i].name, word) == 0)
            return &commands[i];
    }
    return NULL;
}

static void perform_line(p3_shell *s, char *text)
{
    char *rest = NULL;
    uint64_t number = 0;
    uint64_t lines = 0;
    const char *word = strtok_r(text, " \t\r\n", &rest);
    if (word == NULL)
        return;
    const p3_shell_command *c = find_command(word);
    const char *first = strtok_r(NULL, " \t\r\n", &rest);
    const char *second = first != NULL ? strtok_r(NULL, " \t\r\n", &rest) : NULL;
    bool numbers = (first == NULL || p3_value_number(first, 0, UINT32_MAX, &number)) &&
                   (second == NULL || p3_value_number(second, 0, UINT32_MAX, &lines));
    if (c == NULL || !numbers || (c->needs_number && number == 0)) {
        p3_print(stdout, "%s\n", c == NULL ? "There is no such command; type help." : c->help);
        return;
    }
    s->number = (uint32_t)number;
    s->lines = (uint32_t)lines;
    pop3_status status = c->run(s);
    fflush(stdout);
    if (status == POP3_OK)
        return;
    int result = p3_mailbox_print_error(&s->m, status);
    if (pop3_client_state(s->m.client) == POP3_STATE_DEAD) {
        s->over = true;
        s->result = result;
    }
}

/* ---- lines ---- */

static const char *command_name(size_t i)
{
    return i < sizeof commands / sizeof *commands ? commands[i].name : NULL;
}

static void edit_lines(p3_shell *s)
{
    p3_line_editor *e = p3_line_editor_open("pop3> ", command_name);
    const char *line;
    while (e != NULL && !s->over && (line = p3_line_editor_read(e)) != NULL) {
        char *text = strdup(line);
        if (text == NULL) {
            p3_problem why;
            p3_problem_memory(&why);
            s->result = p3_print_problem(NULL, &why);
            break;
        }
        perform_line(s, text);
        free(text);
    }
    if (!s->over)
        p3_print(stdout, "\n");
    p3_line_editor_close(e);
}

static void read_lines(p3_shell *s)
{
    char *text = NULL;
    size_t size = 0;
    while (!s->over && getline(&text, &size, stdin) >= 0)
        perform_line(s, text);
    free(text);
}

int p3_cmd_shell(p3_arguments *a)
{
    p3_shell s = {0};
    a->edits_lines = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    s.result = p3_mailbox_open(&s.m, a);
    if (s.result == EX_OK && a->edits_lines) {
        p3_print(stdout,
                 "Type help for the commands; quit deletes the marked messages, abort does not.\n");
        edit_lines(&s);
    } else if (s.result == EX_OK) {
        read_lines(&s);
    }
    /* Without quit, as at the end of the input, nothing is deleted. */
    if (s.m.client != NULL && !s.over)
        pop3_client_close(s.m.client);
    return p3_mailbox_close(&s.m, s.result);
}

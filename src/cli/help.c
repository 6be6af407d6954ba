/* The output of `pop3 help`: the tables of subcommands and settings as text. */
#include "cli/help.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/output.h"
#include "cli/subcommands.h"
#include "settings/values.h"

/* Columns of the names before their meaning; and of a line. */
enum { names_width = 30, line_width = 100 };

static const char begin[] =
    "pop3: collects mail from POP3 servers, each message exactly once, and looks into mailboxes.\n";

static const char general[] =
    "\nA URL is pop3s://USER@HOST/ (TLS), or pop3://USER@HOST/ (TLS by STLS); the name of an "
    "account in\n~/.config/pop3/config may be given instead. N is a message number, or a range "
    "such as 5-9 or 5-.\n\nEvery setting of pop3-config(5) is an option of the same name, such as "
    "--password-file FILE.\nSee pop3(1).\n\nExit statuses are those of sysexits.h: 0 success, 64 "
    "usage, 75 retry later, 77 login refused,\n78 configuration.\n";

static const char end[] = "\nThe options of all commands: pop3 help options. More: pop3(1).\n";

/* Prints text from a column on, wrapped; lines after the first are indented. */
static bool print_wrapped(FILE *out, const char *text, size_t column, size_t indent)
{
    bool ok = true;
    for (size_t first = column; *text != '\0'; text += strspn(text, " ")) {
        size_t n = strcspn(text, " ");
        if (column + n > line_width) {
            ok = p3_print(out, "\n%*s", (int)indent, "") && ok;
            column = first = indent;
        }
        ok = p3_print(out, "%s%.*s", column > first ? " " : "", (int)n, text) && ok;
        column += n + 1;
        text += n;
    }
    return p3_print(out, "\n") && ok;
}

/* Prints a line of a table. */
static bool print_row(FILE *out, const char *name, const char *meaning)
{
    bool fits = strlen(name) + 6 <= names_width;
    bool ok = p3_print(out, "    %-*s", fits ? names_width - 4 : 0, name);
    if (!fits)
        ok = p3_print(out, "\n%*s", names_width, "") && ok;
    return print_wrapped(out, meaning, names_width, names_width) && ok;
}

static bool print_option(FILE *out, const p3_setting *s)
{
    char name[100];
    char letter[8] = "";
    if (s->letter != '\0')
        snprintf(letter, sizeof letter, "-%c, ", s->letter);
    snprintf(name, sizeof name, "%s--%s%s%s", letter, s->name, s->argument != NULL ? " " : "",
             s->argument != NULL ? s->argument : "");
    return print_row(out, name, s->help);
}

/* Prints the options of a topic, with its title. */
static bool print_topic(FILE *out, const p3_setting_topic *topic)
{
    bool ok = p3_print(out, "\n%s\n", topic->title);
    for (const p3_setting *s = p3_all_settings; s->name != NULL; s++) {
        if ((s->place & P3_PLACE_COMMAND) != 0 && strcmp(s->topic, topic->name) == 0)
            ok = print_option(out, s) && ok;
    }
    return ok;
}

static bool print_topics(FILE *out, const char *only)
{
    bool ok = true;
    for (const p3_setting_topic *t = p3_all_topics; t->name != NULL; t++) {
        if (only == NULL || p3_value_choice(t->name, only) >= 0)
            ok = print_topic(out, t) && ok;
    }
    return ok;
}

static bool print_subcommands(FILE *out)
{
    bool ok = p3_print(out, "%s\n", begin);
    for (const p3_subcommand *s = p3_all_subcommands; s->name != NULL; s++) {
        char name[100];
        snprintf(name, sizeof name, "pop3 %s %s", s->name, s->arguments);
        ok = print_row(out, name, s->help) && ok;
    }
    ok = print_row(out, "pop3 --version", "Print the version") && ok;
    return p3_print(out, "%s", general) && ok;
}

static bool print_subcommand(FILE *out, const p3_subcommand *s)
{
    bool ok = p3_print(out, "pop3 %s %s [OPTION...]\n\n%s.\n", s->name, s->arguments, s->help);
    if (s->text != NULL)
        ok = print_wrapped(out, s->text, 0, 0) && ok;
    if (s->topics != NULL)
        ok = print_topics(out, s->topics) && ok;
    return p3_print(out, "%s", end) && ok;
}

int p3_help(FILE *out, const char *topic)
{
    const p3_subcommand *s = topic != NULL ? p3_subcommand_find(topic) : NULL;
    bool ok;
    if (topic == NULL || strcmp(topic, "help") == 0 || strcmp(topic, "--help") == 0 ||
        strcmp(topic, "-h") == 0)
        ok = print_subcommands(out);
    else if (strcmp(topic, "options") == 0)
        ok = p3_print(
                 out,
                 "The options of all subcommands. Most are also settings of pop3-config(5).\n") &&
             print_topics(out, NULL);
    else if (s != NULL)
        ok = print_subcommand(out, s);
    else
        return EX_USAGE;
    return ok ? EX_OK : EX_IOERR;
}

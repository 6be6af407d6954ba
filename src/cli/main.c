/* The `pop3` command: finds and runs the subcommand. */
#include "cli/subcommands.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/core_dumps.h"
#include "cli/help.h"
#include "cli/output.h"
#include "cli/streams.h"
#include "settings/values.h"

static const char *nearest_subcommand(const char *name)
{
    const char *nearest = NULL;
    size_t least = p3_word_reach(name);
    for (const p3_subcommand *s = p3_all_subcommands; s->name != NULL; s++) {
        size_t d = p3_word_distance(name, s->name);
        if (d < least) {
            least = d;
            nearest = s->name;
        }
    }
    return nearest;
}

static int unknown(const char *name)
{
    p3_problem why;
    const char *nearest = nearest_subcommand(name);
    p3_problem_set(&why, EX_USAGE, "unknown command %s%s%s; `pop3 help` lists them", name,
                   nearest != NULL ? ", perhaps " : "", nearest != NULL ? nearest : "");
    return p3_print_problem(NULL, &why);
}

static int help(const char *topic)
{
    int status = p3_help(stdout, topic);
    return status == EX_USAGE ? unknown(topic) : status;
}

/* An option that the subcommand does not support is an error. */
static bool check_switches(const p3_subcommand *sub, const p3_arguments *a, p3_problem *why)
{
    if (a->run.json && !sub->has_json)
        return p3_problem_set(why, EX_USAGE, "--json: %s has no output for programs", sub->name);
    if (a->run.dry_run && !sub->has_dry_run)
        return p3_problem_set(why, EX_USAGE, "--dry-run: %s does not support it", sub->name);
    return true;
}

static int run_subcommand(const p3_subcommand *sub, int argc, char **argv)
{
    p3_arguments arguments;
    p3_problem why;
    int status;
    if (!p3_arguments_read(&arguments, argc, argv, &why))
        status = p3_print_problem(NULL, &why);
    else if (arguments.run.help)
        status = help(sub->name);
    else if (!check_switches(sub, &arguments, &why))
        status = p3_print_problem(NULL, &why);
    else
        status = sub->run(&arguments);
    p3_arguments_free(&arguments);
    return status;
}

/* Whether all output was written. Earlier failures are recorded by the stream; progress of a run is
 * ignored if there was no output from the start. */
static bool is_written(void)
{
    p3_problem why;
    bool flushed = fflush(stdout) == 0;
    if (flushed && (ferror(stdout) == 0 || p3_streams_output_was_closed()))
        return true;
    if (!flushed)
        p3_problem_errno(&why, errno, "writing the output");
    else
        p3_problem_set(&why, EX_IOERR, "writing the output: it is incomplete");
    (void)p3_print_problem(NULL, &why);
    return false;
}

int main(int argc, char **argv)
{
    if (!p3_streams_open())
        return EX_OSERR;            /* errors cannot be printed */
    p3_cores_off();                 /* a URL on the command line may contain a password */
    (void)signal(SIGPIPE, SIG_IGN); /* writes then fail with EPIPE, */
    (void)signal(SIGXFSZ, SIG_IGN); /* and writes of large files with EFBIG */
    (void)signal(SIGCHLD, SIG_DFL); /* if inherited as ignored, it would hide the exit statuses of
                                       the user's commands */
    if (argc < 2)
        return p3_help(stderr, NULL), EX_USAGE;
    int status;
    const p3_subcommand *sub = p3_subcommand_find(argv[1]);
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
        strcmp(argv[1], "-h") == 0)
        status = help(argc > 2 ? argv[2] : NULL);
    else if (strcmp(argv[1], "--version") == 0)
        status = p3_print(stdout, "pop3 %s\n", pop3_version()) ? EX_OK : EX_IOERR;
    else
        status = sub != NULL ? run_subcommand(sub, argc - 2, argv + 2) : unknown(argv[1]);
    return !is_written() && status == EX_OK ? EX_IOERR : status;
}

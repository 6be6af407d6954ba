/* The `pop3` command: finds the subcommand and lets it work. */
#include "cli/command.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "cli/cores.h"
#include "cli/help.h"

typedef struct p3_subcommand {
    const char *name;
    int (*run)(p3_arguments *a);
} p3_subcommand;

static const p3_subcommand subcommands[] = {
    {"capa", p3_cmd_capa},       {"cat", p3_cmd_cat},     {"doctor", p3_cmd_doctor},
    {"headers", p3_cmd_headers}, {"list", p3_cmd_list},   {"rm", p3_cmd_rm},
    {"setup", p3_cmd_setup},     {"shell", p3_cmd_shell}, {"stat", p3_cmd_stat},
    {"sync", p3_cmd_sync},       {"top", p3_cmd_top},     {"uidl", p3_cmd_uidl},
};

static const p3_subcommand *find(const char *name)
{
    for (size_t i = 0; i < sizeof subcommands / sizeof *subcommands; i++) {
        if (strcmp(subcommands[i].name, name) == 0)
            return &subcommands[i];
    }
    return NULL;
}

int main(int argc, char **argv)
{
    p3_arguments arguments;
    p3_problem why;
    p3_cores_off();                 /* a URL on the command line may hold a password already */
    (void)signal(SIGPIPE, SIG_IGN); /* writes say EPIPE, */
    (void)signal(SIGXFSZ, SIG_IGN); /* and files too large EFBIG */
    if (argc < 2)
        return p3_help(stderr, NULL), EX_USAGE;
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0 ||
        strcmp(argv[1], "-h") == 0)
        return p3_help(stdout, argc > 2 ? argv[2] : NULL);
    if (strcmp(argv[1], "--version") == 0)
        return printf("pop3 %s\n", pop3_version()) < 0 ? EX_IOERR : EX_OK;
    const p3_subcommand *sub = find(argv[1]);
    if (sub == NULL) {
        p3_problem_set(&why, EX_USAGE, "unknown command %s; `pop3 help` lists them", argv[1]);
        return p3_complain(NULL, &why);
    }
    int status = EX_OK;
    if (!p3_arguments_read(&arguments, argc - 2, argv + 2, &why))
        status = p3_complain(NULL, &why);
    else
        status = sub->run(&arguments);
    p3_arguments_free(&arguments);
    if (fflush(stdout) != 0 && status == EX_OK)
        status = EX_IOERR;
    return status;
}

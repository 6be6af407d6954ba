/* Problems of the rooms below, as errors of libpop3-collect. */
#include "public/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "support/printable.h"

/* The first exit status of a class is the one that it has as a problem. */
static const struct {
    int exit;
    pop3_collect_status status;
} classes[] = {
    {EX_TEMPFAIL, POP3_COLLECT_TEMPORARY}, {EX_CONFIG, POP3_COLLECT_ARGUMENT},
    {EX_USAGE, POP3_COLLECT_ARGUMENT},     {EX_SOFTWARE, POP3_COLLECT_STATE},
    {EX_NOPERM, POP3_COLLECT_CREDENTIALS}, {EX_UNAVAILABLE, POP3_COLLECT_SERVER},
    {EX_NOHOST, POP3_COLLECT_SERVER},      {EX_PROTOCOL, POP3_COLLECT_SERVER},
    {EX_IOERR, POP3_COLLECT_FILE},         {EX_CANTCREAT, POP3_COLLECT_FILE},
    {EX_NOINPUT, POP3_COLLECT_FILE},       {EX_DATAERR, POP3_COLLECT_FORMAT},
    {EX_OSERR, POP3_COLLECT_SYSTEM},
};

static const char *const names[] = {"ok",     "temporary", "argument", "state", "credentials",
                                    "server", "file",      "format",   "system"};

const char *pop3_collect_status_name(pop3_collect_status status)
{
    return (size_t)status < sizeof names / sizeof *names ? names[status] : "unknown";
}

/* The class of a problem. */
static pop3_collect_status status_of(const p3_problem *problem)
{
    if (problem->exit == 0)
        return POP3_COLLECT_OK;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if (classes[i].exit == problem->exit)
            return classes[i].status;
    }
    return POP3_COLLECT_SYSTEM;
}

pop3_collect_status p3_collect_fail(pop3_collect_error *error, const p3_problem *problem)
{
    pop3_collect_status status = status_of(problem);
    if (error == NULL)
        return status;
    char *clean = p3_line_clean(problem->text, strlen(problem->text));
    error->status = status;
    error->sys_errno = problem->error;
    (void)snprintf(error->message, sizeof error->message, "%s",
                   clean != NULL ? clean : "out of memory");
    free(clean);
    return status;
}

pop3_collect_status p3_collect_refuse(pop3_collect_error *error, pop3_collect_status status,
                                      const char *why)
{
    if (error != NULL) {
        error->status = status;
        error->sys_errno = 0;
        (void)snprintf(error->message, sizeof error->message, "%s", why);
    }
    return status;
}

bool p3_collect_problem(p3_problem *out, pop3_collect_status status,
                        const pop3_collect_error *error, const char *doing)
{
    int exit = EX_OSERR;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++) {
        if (classes[i].status == status) {
            exit = classes[i].exit;
            break;
        }
    }
    bool told = error->message[0] != '\0';
    p3_problem_set(out, exit, "%s: %.700s", doing,
                   told ? error->message : pop3_collect_status_name(status));
    out->error = error->sys_errno;
    return false;
}

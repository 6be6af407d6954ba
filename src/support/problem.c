/* Problems. */
#include "support/problem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

bool p3_problem_set(p3_problem *p, int exit, const char *format, ...)
{
    va_list args;
    p->exit = exit;
    p->error = 0;
    p->of_folder = false;
    va_start(args, format);
    vsnprintf(p->text, sizeof p->text, format, args);
    va_end(args);
    return false;
}

/* A full disk or a network failure may be temporary. */
static int exit_for(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:
        return EX_TEMPFAIL;
    case EACCES:
    case EPERM:
    case EROFS:
    case ENOENT:
    case ENOTDIR:
        return EX_CANTCREAT;
    default:
        return EX_IOERR;
    }
}

bool p3_problem_errno(p3_problem *p, int error, const char *format, ...)
{
    va_list args;
    p->exit = exit_for(error);
    p->error = error;
    p->of_folder = false;
    va_start(args, format);
    vsnprintf(p->text, sizeof p->text, format, args);
    va_end(args);
    size_t len = strlen(p->text);
    snprintf(p->text + len, sizeof p->text - len, ": %s", strerror(error));
    return false;
}

bool p3_problem_memory(p3_problem *p)
{
    return p3_problem_set(p, EX_OSERR, "out of memory");
}

int p3_exit_of_both(int before, int now)
{
    bool replaced = before == EX_OK || before == EX_TEMPFAIL;
    return replaced && now != EX_OK ? now : before;
}

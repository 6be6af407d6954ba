/* The result of a parcel. */
#include "deliver/parcel.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "deliver/quarantine.h"
#include "support/crash_point.h"

void p3_parcel_fail(p3_parcel *p, int exit, const char *what, const p3_problem *why)
{
    free(p->problem);
    p->problem = calloc(1, sizeof *p->problem);
    if (p->problem != NULL)
        p3_problem_set(p->problem, exit, "%s%.700s", what, why->text);
}

void p3_parcel_deliver(p3_parcel *p)
{
    free(p->problem);
    p->problem = NULL;
    p->delivered = true;
}

void p3_parcel_refuse(p3_parcel *p, const char *maildir, const p3_spool_mail *mail,
                      const char *doing, const char *whom, const p3_problem *why)
{
    p3_problem told;
    char what[100];
    if (maildir == NULL) {
        p3_parcel_fail(p, EX_UNAVAILABLE, doing, why);
        return;
    }
    p->delivered = p3_quarantine_put(maildir, p, NULL, mail, why->text, &told);
    p3_crash_point("refused-kept");
    if (p->delivered) {
        p3_problem_set(&told, EX_UNAVAILABLE,
                       "%.480s; it is kept in %.200s (pop3 retry delivers it again)", why->text,
                       maildir);
        p3_parcel_fail(p, EX_UNAVAILABLE, doing, &told);
    } else {
        (void)snprintf(what, sizeof what, "keeping a message that %s refuses: ", whom);
        p3_parcel_fail(p, told.exit, what, &told);
    }
}

bool p3_parcel_keep_for(const p3_parcel *p, const char *maildir, const p3_spool_mail *mail,
                        const char *recipient, const p3_problem *note, p3_problem *why)
{
    bool ok = p3_quarantine_put(maildir, p, recipient, mail, note->text, why);
    p3_crash_point("refused-kept");
    return ok;
}

void p3_parcel_add_problem(p3_parcel *p, p3_problem **more)
{
    if (*more != NULL && p->problem != NULL) {
        p3_problem both;
        p3_problem_set(&both, p3_exit_of_both(p->problem->exit, (*more)->exit), "%.370s; %.370s",
                       p->problem->text, (*more)->text);
        *p->problem = both;
    } else if (*more != NULL) {
        p->problem = *more;
        *more = NULL;
    }
}

void p3_parcel_clear(p3_parcel *p)
{
    free(p->problem);
    free(p->sender);
    if (p->fd >= 0)
        (void)close(p->fd);
    *p = (p3_parcel){.fd = -1};
}

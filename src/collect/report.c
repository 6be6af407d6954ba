/* Counts and reports. */
#include "collect/report.h"

void p3_report_tell(const p3_report *r, p3_notice_kind kind, const p3_mail *mail, const char *text,
                    const p3_problem *problem)
{
    p3_notice notice = {.kind = kind,
                        .account = r->account,
                        .tally = &r->tally,
                        .text = text != NULL ? text : "",
                        .problem = problem};
    if (mail != NULL) {
        notice.number = mail->number;
        notice.uid = mail->uid;
        notice.octets = mail->octets == P3_SIZE_UNKNOWN ? 0 : mail->octets;
    }
    if (r->options->notice != NULL)
        r->options->notice(r->options->notice_ctx, &notice);
}

void p3_report_failed(p3_report *r, const p3_mail *mail, const p3_problem *why)
{
    r->tally.failed++;
    p3_report_tell(r, P3_NOTICE_FAILED, mail, NULL, why);
}

void p3_report_skipped(p3_report *r, const p3_mail *mail, const char *why)
{
    r->tally.skipped++;
    p3_report_tell(r, P3_NOTICE_SKIPPED, mail, why, NULL);
}

void p3_report_unseen(p3_report *r, const p3_mail *mail, const p3_problem *why)
{
    r->tally.unseen++;
    p3_report_tell(r, P3_NOTICE_FAILED, mail, NULL, why);
}

void p3_report_undeleted(p3_report *r, const p3_mail *mail, const p3_problem *why)
{
    r->tally.undeleted++;
    if (why != NULL)
        p3_report_tell(r, P3_NOTICE_FAILED, mail, NULL, why);
}

void p3_report_refused_beyond(p3_report *r, const p3_mail *mail)
{
    r->tally.failed += !mail->only_listed;
}

void p3_report_listed(p3_report *r, size_t count)
{
    r->tally.listed = count;
    if (r->tally.listed_most < count)
        r->tally.listed_most = count;
}

void p3_report_wanted(p3_report *r, size_t count, uint64_t octets)
{
    r->tally.wanted = r->tally.retrieved + count;
    r->tally.wanted_octets = r->tally.octets + octets;
}

void p3_report_retrieved(p3_report *r, const p3_mail *mail, uint64_t octets)
{
    r->tally.retrieved++;
    r->tally.octets += octets;
    p3_report_tell(r, P3_NOTICE_MESSAGE, mail, NULL, NULL);
}

void p3_report_discarded(p3_report *r, size_t count)
{
    r->tally.retrieved -= count;
}

void p3_report_delivered(p3_report *r, size_t count)
{
    r->tally.delivered += count;
}

void p3_report_settled(p3_report *r, size_t count)
{
    r->tally.delivered += count;
    r->tally.settled += count;
}

void p3_report_deleted(p3_report *r, size_t count)
{
    r->tally.deleted += count;
}

void p3_report_refused(p3_report *r, const p3_mail *mail, const p3_problem *why)
{
    r->tally.refused++;
    p3_report_tell(r, P3_NOTICE_FAILED, mail, NULL, why);
}

void p3_report_passed_over(p3_report *r, size_t count)
{
    r->tally.passed_over += count;
}

bool p3_report_disbelieves(const p3_report *r, const p3_mail *mail)
{
    if (mail->only_listed)
        p3_report_tell(r, P3_NOTICE_SKIPPED, mail,
                       "LIST has it, but UIDL has not, and it cannot be retrieved", NULL);
    return mail->only_listed;
}

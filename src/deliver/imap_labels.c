/* Gmail's labels by IMAP. */
#include "deliver/imap_labels.h"

#include <stdio.h>
#include <sysexits.h>

#include "support/crash_point.h"

/* Messages whose labels are set by one command. */
#define P3_LABELLED_AT_ONCE 300

/* Reads UIDVALIDITY. */
static void see_numbering(void *ctx, const p3_imap_response *r)
{
    p3_imap_parse_number(r, "UIDVALIDITY", ctx);
}

static p3_imap_outcome describe_refusal(const p3_imap_session *s, const p3_imap_response *answer,
                                        p3_problem *why)
{
    p3_problem_set(why, EX_UNAVAILABLE,
                   "it is in the folder, but the IMAP server refuses its labels %.200s: %.300s; "
                   "correct labels, and the next run sets them",
                   p3_imap_labels(s), answer->text);
    return P3_IMAP_LATER;
}

static p3_imap_outcome lose_session(p3_imap_session *s, p3_problem *why)
{
    (void)p3_imap_lose(s, "setting labels", why);
    return P3_IMAP_LOST;
}

/* Opens the folder for changes. It is never closed, because CLOSE would remove messages. */
static p3_imap_outcome open_folder(p3_imap_session *s, uint32_t *validity, int64_t until,
                                   p3_problem *why)
{
    char command[1100];
    p3_imap_response answer;
    *validity = 0;
    snprintf(command, sizeof command, "SELECT %s", p3_imap_folder(s));
    if (!p3_imap_ask(s, command, until, see_numbering, validity, &answer))
        return lose_session(s, why);
    return p3_imap_is_ok(&answer) ? P3_IMAP_APPENDED : describe_refusal(s, &answer, why);
}

p3_imap_outcome p3_imap_label(p3_imap_session *s, const p3_imap_place *at, size_t count,
                              int64_t until, p3_problem *why)
{
    char command[12 * P3_LABELLED_AT_ONCE + 2100];
    p3_imap_response answer;
    uint32_t validity;
    p3_imap_outcome is = open_folder(s, &validity, until, why);
    for (size_t i = 0; is == P3_IMAP_APPENDED && i < count;) {
        size_t used = (size_t)snprintf(command, sizeof command, "UID STORE ");
        for (size_t n = 0; n < P3_LABELLED_AT_ONCE && i < count; n++, i++) {
            if (at[i].uid == 0 || at[i].validity != validity) {
                p3_problem_set(why, EX_TEMPFAIL,
                               "it is in the folder, but the IMAP server does not say where: the "
                               "next run looks for it, and sets its labels");
                return P3_IMAP_LATER;
            }
            used += (size_t)snprintf(command + used, sizeof command - used, "%s%u",
                                     n > 0 ? "," : "", at[i].uid);
        }
        snprintf(command + used, sizeof command - used, " +X-GM-LABELS %s", p3_imap_labels(s));
        p3_crash_point("imap-labelling");
        if (!p3_imap_ask(s, command, until, NULL, NULL, &answer))
            return lose_session(s, why);
        if (!p3_imap_is_ok(&answer))
            is = describe_refusal(s, &answer, why);
    }
    p3_crash_point("imap-labelled");
    return is;
}

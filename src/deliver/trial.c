/* Finding out what can be found out about a target without delivering anything to it. */
#include "deliver/trial.h"

#include <stdarg.h>
#include <stdio.h>
#include <sysexits.h>

#include "deliver/imap_session.h"
#include "deliver/lmtp.h"
#include "deliver/lmtp_session.h"
#include "support/clock.h"

/* Milliseconds for an answer. */
#define P3_ANSWER_MS (60 * 1000)

__attribute__((format(printf, 3, 4))) static void tell(const p3_trial *t, bool is_note,
                                                       const char *format, ...)
{
    char text[700];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    t->tell(t->ctx, is_note, text);
}

static bool is_no_address(const char *where, p3_problem *why)
{
    return p3_problem_set(why, EX_CONFIG, "opening %.500s: it is no address of a server", where);
}

/* ---- IMAP ---- */

/* A folder that is not there is no mistake: it is made. */
static bool look_for_folder(p3_imap_session *s, const p3_trial *t, p3_problem *why)
{
    char command[1100];
    p3_imap_response answer;
    snprintf(command, sizeof command, "EXAMINE %s", p3_imap_folder(s));
    if (!p3_imap_ask(s, command, p3_clock_ms() + P3_ANSWER_MS, NULL, NULL, &answer))
        return p3_imap_lose(s, "looking for the folder at the IMAP server", why);
    if (p3_imap_is_ok(&answer))
        tell(t, false, "the folder %s is there", p3_imap_folder(s));
    else
        tell(t, true, "the folder %s is not there, and is made when mail comes: %.300s",
             p3_imap_folder(s), answer.text);
    return true;
}

bool p3_imap_trial(const char *where, const p3_envelope *envelope, const p3_trial *t,
                   p3_problem *why)
{
    p3_imap_address to;
    if (!p3_imap_address_read(&to, where) || envelope->imap == NULL)
        return is_no_address(where, why);
    p3_imap_session *s = p3_imap_connect(&to, envelope->imap, why);
    if (s == NULL)
        return false;
    tell(t, false, "%s takes the login of %s", to.at.server.host, to.at.user);
    bool ok = look_for_folder(s, t, why);
    p3_imap_end(s);
    return ok;
}

/* ---- LMTP and SMTP ---- */

/* Whether the server takes mail for the recipient. One that does not take it from nobody, says
 * nothing about that. */
static bool ask_about_recipient(p3_lmtp_session *s, const p3_envelope *e, const p3_trial *t,
                                p3_problem *why)
{
    p3_lmtp_verdict v;
    if (e->recipient == NULL)
        return true;
    p3_recipient to = p3_recipient_of(e->recipient);
    if (!p3_lmtp_try(s, e->sender != NULL ? e->sender : "", &to, &v, why))
        return false;
    if (v.is == P3_LMTP_OK) {
        tell(t, false, "it takes mail for %s", e->recipient);
    } else if (v.about == P3_LMTP_SENDER && e->sender == NULL) {
        tell(t, true, "it takes no mail without a sender, so that it was not asked about %s: %s",
             e->recipient, v.why.text);
    } else {
        *why = v.why;
        return false;
    }
    return true;
}

static bool talk(p3_lmtp_session *s, const p3_envelope *e, const p3_trial *t, p3_problem *why)
{
    bool ok = ask_about_recipient(s, e, t, why);
    p3_lmtp_end(s);
    return ok;
}

bool p3_lmtp_trial(const char *where, const p3_envelope *envelope, const p3_trial *t,
                   p3_problem *why)
{
    p3_address to;
    if (!p3_address_read(&to, where))
        return is_no_address(where, why);
    p3_lmtp_session *s = p3_lmtp_connect(&to, &envelope->lmtp, why);
    if (s == NULL)
        return false;
    tell(t, false, "%s answers", where);
    return talk(s, envelope, t, why);
}

bool p3_smtp_trial(const char *where, const p3_envelope *envelope, const p3_trial *t,
                   p3_problem *why)
{
    p3_server_url to;
    if (!p3_smtp_server_read(&to, where) || envelope->smtp == NULL)
        return is_no_address(where, why);
    p3_lmtp_session *s = p3_smtp_connect(&to, envelope->smtp, why);
    if (s == NULL)
        return false;
    if (to.user[0] != '\0')
        tell(t, false, "%s takes the login of %s", to.server.host, to.user);
    else
        tell(t, false, "%s answers", to.server.host);
    return talk(s, envelope, t, why);
}

/* Tests a target without delivering anything. */
#include "deliver/trial.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "deliver/folder_names.h"
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

/* A missing folder is not an error: it will be created. */
static bool look_for_folder(p3_imap_session *s, const p3_trial *t, p3_problem *why)
{
    char command[1100];
    p3_imap_response answer;
    snprintf(command, sizeof command, "EXAMINE %s", p3_imap_folder(s));
    if (!p3_imap_ask(s, command, p3_clock_ms() + P3_ANSWER_MS, NULL, NULL, &answer))
        return p3_imap_lose(s, "looking for the folder at the IMAP server", why);
    if (p3_imap_is_ok(&answer))
        tell(t, false, "the folder %s exists", p3_imap_folder(s));
    else
        tell(t, true, "the folder %s does not exist, and is created when mail arrives: %.300s",
             p3_imap_folder(s), answer.text);
    return true;
}

/* The same for each folder in the table. */
static bool look_for_others(p3_imap_session *s, const char *where, const p3_recipients *map,
                            const p3_trial *t, p3_problem *why)
{
    const char *name;
    bool ok = true;
    for (size_t i = 1; ok && map != NULL && (name = p3_recipients_folder(map, i)) != NULL; i++) {
        p3_imap_address to;
        char *url = p3_imap_folder_url(where, name);
        if (url != NULL && p3_imap_address_read(&to, url)) {
            p3_imap_turn_to(s, &to);
            ok = look_for_folder(s, t, why);
        }
        free(url);
    }
    return ok;
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
    tell(t, false, "%s accepts the login of %s", to.at.server.host, to.at.user);
    bool ok = look_for_folder(s, t, why) && look_for_others(s, where, envelope->map, t, why);
    p3_imap_end(s);
    return ok;
}

/* ---- LMTP and SMTP ---- */

/* Reports the result: `refused` is the first of `wrong` refusals. */
static bool sum_up(const p3_recipient *to, size_t count, size_t wrong, const p3_problem *refused,
                   const p3_trial *t, p3_problem *why)
{
    if (wrong > 1)
        return p3_problem_set(why, refused->exit, "%.600s; the same for %zu of %zu recipients",
                              refused->text, wrong, count);
    if (wrong == 1) {
        *why = *refused;
        return false;
    }
    if (count == 1)
        tell(t, false, "it accepts mail for %s", to->address);
    else
        tell(t, false, "it accepts mail for all %zu recipients", count);
    return true;
}

/* Asks whether the server accepts mail for the recipient, or for all recipients. A server that
 * refuses the null sender gives no information. */
static bool ask_about_recipients(p3_lmtp_session *s, const p3_envelope *e, const p3_trial *t,
                                 p3_problem *why)
{
    p3_recipient to[P3_RECIPIENTS_MOST];
    p3_lmtp_verdict v;
    p3_problem refused = {0};
    size_t count = e->recipient != NULL;
    size_t wrong = 0;
    if (e->map != NULL)
        count = p3_recipients_all(e->map, to);
    else if (count > 0)
        to[0] = p3_recipient_of(e->recipient);
    for (size_t i = 0; i < count; i++) {
        if (!p3_lmtp_try(s, e->sender != NULL ? e->sender : "", &to[i], &v, why))
            return false;
        if (v.about == P3_LMTP_SENDER && v.is != P3_LMTP_OK && e->sender == NULL) {
            tell(t, true,
                 "it accepts no mail without a sender, so that it was not asked about %s: %s",
                 to[i].address, v.why.text);
            return true;
        }
        if (v.is != P3_LMTP_OK && wrong++ == 0)
            refused = v.why;
    }
    return count == 0 || sum_up(to, count, wrong, &refused, t, why);
}

static bool talk(p3_lmtp_session *s, const p3_envelope *e, const p3_trial *t, p3_problem *why)
{
    bool ok = ask_about_recipients(s, e, t, why);
    p3_lmtp_end(s);
    return ok;
}

bool p3_lmtp_trial(const char *where, const p3_envelope *envelope, const p3_trial *t,
                   p3_problem *why)
{
    p3_server_address to;
    if (!p3_server_address_read(&to, where))
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
        tell(t, false, "%s accepts the login of %s", to.server.host, to.user);
    else
        tell(t, false, "%s answers", to.server.host);
    return talk(s, envelope, t, why);
}

/* What a session that the server ended teaches the next one of the same run, so that no message, no
 * number of commands and no habit of the server keeps the others from coming for ever. Each way is
 * tried once: one command at a time, QUIT after fewer and fewer deletions, a message left alone. */
#include "collect/session.h"

#include <pop3/login.h>
#include <sysexits.h>

#include "support/clock.h"

/* So many sessions in a row may be closed without getting anywhere before another way is tried: one
 * may have been the network's fault. */
#define P3_CLOSES 2

/* A server that ends sessions after more commands than this has room for a deletion and QUIT. */
#define P3_COMMANDS_FEW 12

bool p3_session_is_out_of_time(const p3_session *s)
{
    int64_t most = s->account->connection.session_timeout_ms;
    return most > 0 && p3_clock_ms() - s->patience.begun_ms >= most;
}

/* Whether commands may go together, so that sending them one at a time is another way. */
static bool may_go_together(const p3_session *s)
{
    return s->account->connection.engine.pipelining == POP3_PIPELINING_AUTO &&
           (s->known.traits.flags & POP3_TRAIT_ONE_AT_A_TIME) == 0 &&
           s->approach.apart == P3_APART_NO && s->approach.care != P3_CARE_STEPS;
}

/* Whether a server that does not answer any more may have thrown commands away that came together,
 * although it announced that it takes them. */
static bool commands_were_lost(const p3_session *s, pop3_status status)
{
    if (!may_go_together(s) || p3_session_is_out_of_time(s))
        return false;
    if (s->stage == P3_STAGE_LOGIN)
        return (status == POP3_ERR_TIMEOUT || status == POP3_ERR_CLOSED) &&
               pop3_login_outcome(s->client)->pipelined;
    bool together = s->stage == P3_STAGE_TAKING || s->stage == P3_STAGE_LOOKING ||
                    (s->stage == P3_STAGE_LISTING && s->sizes_asked);
    return together && status == POP3_ERR_TIMEOUT &&
           (s->together || pop3_client_pipelines(s->client));
}

/* The message that the server was asked for when it hung up, or 0. */
static uint32_t in_hand(const p3_session *s)
{
    const p3_window *w = s->stage == P3_STAGE_LOOKING ? &s->looking : &s->taking;
    bool asked = w->finished < w->submitted && s->dropping.finished == s->dropping.submitted;
    return asked ? s->box.at[w->mails[w->finished]].number : 0;
}

/* The server ends a session before the first message can come, whichever it is. */
static bool closes_before_any(const p3_session *s)
{
    return s->approach.frugal && s->next.retrieved_none && s->tally.retrieved == 0 &&
           s->stage != P3_STAGE_LISTING;
}

/* The server hung up twice when it was asked for the same message. */
static bool set_aside(p3_session *s, uint32_t number)
{
    p3_approach *next = &s->next;
    bool again = number != 0 && next->suspect == number && next->asides < P3_ASIDE_MOST &&
                 !closes_before_any(s);
    next->suspect = again ? 0 : number;
    if (again)
        next->aside[next->asides++] = number;
    return again;
}

/* The server ended the session while messages were deleted, and before QUIT. */
static bool quit_earlier(p3_session *s)
{
    uint32_t most = s->known.traits.quit_after;
    size_t done = s->dropping.finished;
    if (s->stage != P3_STAGE_TAKING || done == 0 || most == 1)
        return false;
    if (most == 0 || done < most)
        most = done < UINT32_MAX ? (uint32_t)done : UINT32_MAX;
    p3_session_learn(s, (pop3_server_traits){.quit_after = most > 1 ? most / 2 : 1});
    return true;
}

/* The server ended the session at QUIT, and deleted nothing: once may have been the network's
 * fault, twice is the end of what a session may take. QUIT then comes after half as many deletions,
 * then after one. These are no ways of their own: a server that never answers QUIT is not tried any
 * longer for them, and nothing is learned before QUIT was answered. */
static void quit_before_its_bound(p3_session *s)
{
    size_t done = s->dropping.finished;
    p3_approach *next = &s->next;
    if (done < 2 || ++next->quits < P3_CLOSES)
        return;
    next->quit_after = next->quit_after == 0 && done / 2 <= UINT32_MAX ? (uint32_t)(done / 2) : 1;
}

/* The server ends each session after as many commands, whatever they are, and fewer deletions do
 * not help: from now on a session does one thing, and leaves out what can be left out. */
static bool save_commands(p3_session *s)
{
    p3_approach *next = &s->next;
    p3_cut last = next->cut;
    uint32_t number = s->stage == P3_STAGE_TAKING || s->stage == P3_STAGE_LOOKING ? in_hand(s) : 0;
    next->cut = (p3_cut){pop3_client_answered(s->client), s->stage, number};
    bool counts = next->cut.answered == last.answered && next->cut.answered <= P3_COMMANDS_FEW;
    bool same = next->cut.stage == last.stage && next->cut.number == last.number;
    bool deletes = s->dropping.submitted > 0 && p3_session_quota(s) == 1;
    bool stands = s->dropping.submitted == 0 && s->taking.finished + s->looking.finished == 0;
    if (next->frugal || !counts || same || !(deletes || stands))
        return false;
    next->frugal = true;
    next->mechanism = pop3_login_outcome(s->client)->mechanism;
    next->retrieved_none = stands;
    next->asides = 0;
    return true;
}

bool p3_session_only_deletes(const p3_session *s)
{
    bool any = false;
    if (!s->approach.frugal || s->approach.idle || s->account->removal == P3_REMOVE_NEVER)
        return false;
    for (size_t i = 0; i < s->rows.count && !any; i++) {
        const p3_row *row = &s->rows.at[i];
        any = (row->standing == P3_DELIVERED || row->standing == P3_LEAVING) &&
              p3_session_due(s, row);
    }
    return any;
}

/* The server ended the session after it had refused what can be left out: it may count refusals. */
static bool leave_out_what_was_refused(p3_session *s)
{
    bool knew = s->approach.no_uidl || (s->known.traits.flags & POP3_TRAIT_NO_UIDL) != 0;
    bool uidl = s->no_uidl && !knew;
    bool top = s->stage == P3_STAGE_LOOKING && s->looking.by_retr != SIZE_MAX &&
               s->looking.submitted > 0 && p3_session_can_top(s);
    s->next.no_uidl = s->next.no_uidl || uidl;
    s->next.no_top = s->next.no_top || top;
    return uidl || top;
}

/* The server ended the session, and more than once, when it was asked for the unique-ids. */
static bool leave_out_uidl(p3_session *s)
{
    bool asked = s->stage == P3_STAGE_LISTING && !s->no_uidl && !s->box.sealed;
    s->next.no_uidl = s->next.no_uidl || (asked && s->next.closes >= P3_CLOSES);
    return asked && s->next.no_uidl;
}

/* The session was lost when LIST was asked for behind UIDL, which most sessions can do without. */
static bool leave_out_sizes(p3_session *s, pop3_status status)
{
    bool asked = s->stage == P3_STAGE_LISTING && !s->no_uidl && !s->sizes_asked && s->box.sealed;
    bool lost = status == POP3_ERR_CLOSED || status == POP3_ERR_TIMEOUT ||
                status == POP3_ERR_PROTOCOL || status == POP3_ERR_LIMIT;
    if (!asked || !lost || s->approach.no_sizes || p3_session_needs_sizes(s) ||
        p3_session_is_out_of_time(s))
        return false;
    s->next.no_sizes = true;
    return true;
}

static bool was_closed(p3_session *s)
{
    p3_approach *next = &s->next;
    if (s->stage != P3_STAGE_LISTING && s->stage != P3_STAGE_LOOKING && s->stage != P3_STAGE_TAKING)
        return false;
    if (s->taking.finished > 0) {
        next->closes = 0;
        return false;
    }
    next->closes++;
    uint32_t number = s->stage == P3_STAGE_LISTING ? 0 : in_hand(s);
    if (may_go_together(s)) {
        bool answered = s->stage == P3_STAGE_LOOKING && s->looking.finished > 1;
        if (next->closes < P3_CLOSES || answered)
            return set_aside(s, number);
        next->apart = P3_APART_CLOSE;
        return true;
    }
    return set_aside(s, number) || quit_earlier(s) || leave_out_uidl(s);
}

bool p3_session_adapt(p3_session *s, pop3_status status)
{
    if (commands_were_lost(s, status)) {
        s->next.apart = P3_APART_SILENCE;
        return true;
    }
    if (leave_out_sizes(s, status))
        return true;
    if (status == POP3_ERR_CLOSED && s->stage > P3_STAGE_LOGIN &&
        (leave_out_what_was_refused(s) || save_commands(s)))
        return true;
    if (status == POP3_ERR_CLOSED && s->stage == P3_STAGE_QUIT)
        quit_before_its_bound(s);
    return status == POP3_ERR_CLOSED && was_closed(s);
}

void p3_session_advise(const p3_session *s, pop3_status status, p3_problem *why)
{
    p3_problem plain = *why;
    const char *advice = NULL;
    if (status != POP3_ERR_CLOSED || s->stage < P3_STAGE_LOGIN)
        return;
    if (s->stage == P3_STAGE_LOGIN && pop3_login_outcome(s->client)->attempts > 0)
        advice = "if that happens each time, choose another mechanism with --auth";
    else if (closes_before_any(s))
        advice = "it ends each session after a few commands: --utf8 off and --traits no-capa with "
                 "--auth USER send fewer";
    else if (s->dropping.submitted > 0 && !s->adapted)
        advice = "if it ends sessions early, --traits quit-after=1 deletes one message in each";
    else if (may_go_together(s) && s->taking.finished == 0)
        advice = "if that happens each time, try --pipelining off";
    if (advice != NULL)
        p3_problem_set(why, plain.exit, "%.700s; %s", plain.text, advice);
}

void p3_session_confirm(p3_session *s)
{
    s->next.quits = 0;
    s->next.idle = s->only_deletes && s->dropping.finished == 0 && s->plan.looks == 0;
    if (s->dropping.finished > 0)
        p3_session_learn(s, (pop3_server_traits){.quit_after = s->approach.quit_after});
    if (s->approach.no_uidl)
        p3_session_learn(s, (pop3_server_traits){.flags = POP3_TRAIT_NO_UIDL});
    if (s->approach.no_top)
        p3_session_learn(s, (pop3_server_traits){.flags = POP3_TRAIT_NO_TOP});
    if (s->approach.apart == P3_APART_CLOSE && !s->approach.no_uidl)
        p3_session_learn(s, (pop3_server_traits){.flags = POP3_TRAIT_ONE_AT_A_TIME});
}

void p3_session_leave_aside(p3_session *s)
{
    p3_problem why;
    for (size_t i = 0; i < s->box.count && s->approach.asides > 0; i++) {
        p3_mail *mail = &s->box.at[i];
        bool aside = false;
        for (unsigned k = 0; k < s->approach.asides; k++)
            aside = aside || s->approach.aside[k] == mail->number;
        if (!aside || mail->todo == P3_TODO_NOTHING || mail->todo == P3_TODO_KEEP)
            continue;
        p3_problem_set(&why, EX_TEMPFAIL,
                       "the server closes the connection when it is asked for this message; it "
                       "stays there, and the others are retrieved");
        bool looks = mail->todo == P3_TODO_LOOK;
        s->plan.looks -= looks;
        *(looks ? &s->tally.unseen : &s->tally.failed) += 1;
        mail->todo = P3_TODO_NOTHING;
        p3_session_tell(s, P3_NOTICE_FAILED, mail, NULL, &why);
    }
}

size_t p3_session_quota(const p3_session *s)
{
    uint32_t most = s->known.traits.quit_after;
    if (s->approach.quit_after > 0 && (most == 0 || s->approach.quit_after < most))
        most = s->approach.quit_after;
    return most > 0 ? most : SIZE_MAX;
}

void p3_session_compare_top(p3_session *s, const p3_mail *mail, const p3_fingerprint *retrieved)
{
    p3_fingerprint shown = p3_mailbox_look(&s->box, (size_t)(mail - s->box.at)).print;
    if (p3_fingerprint_known(&shown) && !p3_fingerprint_equal(&shown, retrieved) &&
        p3_session_can_top(s))
        p3_session_learn(s, (pop3_server_traits){.flags = POP3_TRAIT_NO_TOP});
}

bool p3_session_can_top(const p3_session *s)
{
    const pop3_capabilities *caps = pop3_client_capabilities(s->client);
    return !s->approach.no_top && (s->known.traits.flags & POP3_TRAIT_NO_TOP) == 0 &&
           (caps == NULL || (caps->flags & POP3_CAP_TOP) != 0);
}

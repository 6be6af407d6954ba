/* How far a server is trusted, and why. */
#include "collect/trust.h"

/* A server that ends sessions after more commands than this allows a deletion and QUIT. */
#define P3_COMMANDS_FEW 12

bool p3_trust_goes_in_steps(const p3_trust *t)
{
    return t->one_at_a_time != P3_ONE_AT_A_TIME_NO || t->caution == P3_CAUTION_STEPS;
}

bool p3_trust_sets_aside(const p3_trust *t, uint32_t number)
{
    unsigned i = 0;
    while (i < t->asides && t->aside[i] != number)
        i++;
    return i < t->asides;
}

bool p3_trust_set_aside(p3_trust *t, uint32_t number)
{
    bool is_set = p3_trust_sets_aside(t, number);
    bool room = is_set || t->asides < P3_ASIDE_MOST;
    if (!is_set && room)
        t->aside[t->asides++] = number;
    return room;
}

bool p3_trust_looks_in_vain(const p3_trust *t)
{
    return t->looks >= P3_LOOKS_MOST;
}

size_t p3_trust_quota(const p3_trust *t, uint32_t known)
{
    uint32_t most = known;
    if (t->quit_after > 0 && (most == 0 || t->quit_after < most))
        most = t->quit_after;
    return most > 0 ? most : SIZE_MAX;
}

void p3_trust_raise(p3_trust *t, p3_caution caution)
{
    if (t->caution < caution)
        t->caution = caution;
}

/* Whether commands may share a window, so that one at a time would be another way. */
static bool may_go_together(const p3_trust *now, const p3_evidence *e)
{
    return e->may_pipeline && (e->known.flags & POP3_TRAIT_ONE_AT_A_TIME) == 0 &&
           !p3_trust_goes_in_steps(now);
}

/* Whether a silent server may have discarded commands that arrived together, although it announced
 * PIPELINING. */
static bool commands_were_lost(const p3_trust *now, const p3_evidence *e)
{
    bool silent = e->status == POP3_ERR_TIMEOUT ||
                  (e->stage == P3_STAGE_LOGIN && e->status == POP3_ERR_CLOSED);
    return silent && e->pipelined && !e->out_of_time && may_go_together(now, e);
}

/* The server ends the session before any message can be retrieved. */
static bool closes_before_any(const p3_trust *now, const p3_trust *next, const p3_evidence *e)
{
    return now->frugal && next->retrieved_none && e->none_in_run && e->stage != P3_STAGE_LISTING;
}

static bool is_nonsense(pop3_status status)
{
    return status == POP3_ERR_PROTOCOL || status == POP3_ERR_LIMIT;
}

/* The session ended twice when the same message was requested. If the second time was at its RETR,
 * TOP is not to blame. */
static bool set_aside(const p3_trust *now, p3_trust *next, const p3_evidence *e)
{
    uint32_t number = e->in_hand;
    bool again = number != 0 && next->suspect == number && !closes_before_any(now, next, e) &&
                 p3_trust_set_aside(next, number);
    next->suspect = again ? 0 : number;
    next->no_top = next->no_top && !(again && p3_stage_looks(e->stage));
    return again;
}

static uint32_t bounded(size_t count)
{
    return count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
}

/* The server ended the session during deletions, before QUIT. */
static bool quit_earlier(const p3_evidence *e, pop3_server_traits *learned)
{
    uint32_t most = e->known.quit_after;
    if (e->stage != P3_STAGE_RETRIEVAL || e->deleted == 0 || most == 1)
        return false;
    if (most == 0 || e->deleted < most)
        most = bounded(e->deleted);
    learned->quit_after = most > 1 ? most / 2 : 1;
    return true;
}

static bool breaks_off(pop3_status status)
{
    return status == POP3_ERR_CLOSED || status == POP3_ERR_TIMEOUT || is_nonsense(status);
}

/* Whether sessions end after the same number of commands or deletions, whatever the message. */
static bool deletions_are_counted(p3_trust *next, const p3_evidence *e)
{
    bool closed = e->status == POP3_ERR_CLOSED && e->deleted > 0;
    bool again =
        closed && (e->answered == next->deletions.answered || e->deleted == next->deletions_before);
    next->deletions.answered = closed ? e->answered : 0;
    next->deletions_before = closed ? e->deleted : 0;
    return again;
}

/* The session broke at a message's deletion. The message may be the reason: the others are deleted
 * first. Or the server counts deletions, or does not support commands in flight together: then
 * postponed messages are not to blame. */
static bool broke_at_deletion(const p3_trust *now, p3_trust *next, const p3_evidence *e,
                              pop3_server_traits *learned)
{
    if (e->deleting == 0 || e->out_of_time || !breaks_off(e->status))
        return false;
    bool counted = deletions_are_counted(next, e);
    next->blame = P3_BLAME_SERVER;
    if (e->status == POP3_ERR_CLOSED && may_go_together(now, e) &&
        ++next->deletions_broken >= P3_CLOSES) {
        next->postponed = (p3_postponed){0};
        next->one_at_a_time = P3_ONE_AT_A_TIME_CLOSE;
        return true;
    }
    if (counted && quit_earlier(e, learned)) {
        next->postponed = (p3_postponed){0};
        return true;
    }
    p3_postponed_add(&next->postponed, e->deleting, e->status, e->deleted > 0, e->deleting_again);
    next->blame = P3_BLAME_MESSAGE;
    return true;
}

/* The server ended the session at QUIT without deleting anything. Once may be the network's fault;
 * twice means that the session had too many deletions. QUIT then follows half as many, then one.
 * These do not count as other ways: a server that never answers QUIT is not tried longer because of
 * them, and nothing is learned until QUIT has been answered. */
static void quit_before_its_bound(p3_trust *next, const p3_evidence *e)
{
    if (e->deleted < 2 || ++next->quits < P3_CLOSES)
        return;
    next->quit_after =
        next->quit_after == 0 && e->deleted / 2 <= UINT32_MAX ? (uint32_t)(e->deleted / 2) : 1;
}

/* The server ends each session after the same number of commands, whatever they are, and fewer
 * deletions do not help: from now on a visit does one thing, and omits what can be omitted. */
static bool save_commands(const p3_trust *now, p3_trust *next, const p3_evidence *e)
{
    p3_cut last = next->cut;
    next->cut = (p3_cut){e->answered, e->stage, e->in_hand};
    bool counts = e->answered == last.answered && e->answered <= P3_COMMANDS_FEW;
    bool same = (p3_stage_looks(e->stage) && p3_stage_looks(last.stage)) ||
                (e->stage == last.stage && e->in_hand == last.number);
    bool deletes = e->deletes > 0 && p3_trust_quota(now, e->known.quit_after) == 1;
    bool stands = e->deletes == 0 && e->retrieved + e->looked == 0;
    if (next->frugal || !counts || same || !(deletes || stands))
        return false;
    next->frugal = true;
    next->mechanism = e->mechanism;
    next->retrieved_none = stands;
    next->asides = 0;
    return true;
}

/* The server ended the session after it had refused an optional command: it may count refusals. */
static bool leave_out_what_was_refused(p3_trust *next, const p3_evidence *e)
{
    next->no_uidl = next->no_uidl || e->uidl_refused;
    next->no_top = next->no_top || e->top_refused;
    return e->uidl_refused || e->top_refused;
}

/* The server ended the session more than once at UIDL. */
static bool leave_out_uidl(p3_trust *next, const p3_evidence *e)
{
    next->no_uidl = next->no_uidl || (e->at_uidl && next->closes >= P3_CLOSES);
    return e->at_uidl && next->no_uidl;
}

/* The answer to UIDL was invalid, and commands were not in flight together. */
static bool leave_out_nonsense(const p3_trust *now, p3_trust *next, const p3_evidence *e)
{
    bool leaves_out =
        e->at_uidl && is_nonsense(e->status) && !(e->pipelined && may_go_together(now, e));
    next->no_uidl = next->no_uidl || leaves_out;
    return leaves_out;
}

/* The visit was lost at LIST after UIDL, which most visits can do without. */
static bool leave_out_sizes(const p3_trust *now, p3_trust *next, const p3_evidence *e)
{
    bool leaves_out =
        e->at_spare_list && breaks_off(e->status) && !e->out_of_time && !now->no_sizes;
    next->no_sizes = next->no_sizes || leaves_out;
    return leaves_out;
}

/* The server ends each session after the same number of commands, whatever the message, and some of
 * them requested headers of messages that are due: the next visit requests fewer. */
static bool look_at_fewer(const p3_trust *now, p3_trust *next, const p3_evidence *e,
                          pop3_server_traits *learned)
{
    uint32_t most = e->known.quit_after;
    if (e->stage != P3_STAGE_HEADERS || e->looked < 2 || e->answered != now->cut.answered ||
        e->in_hand == now->cut.number || (most > 0 && most <= e->looked / 2))
        return false;
    learned->quit_after = bounded(e->looked / 2);
    next->asides = 0;
    return true;
}

/* The server ended sessions, or answered nonsense, at TOP: the messages themselves are retrieved
 * instead. */
static bool leave_out_top(p3_trust *next, const p3_evidence *e)
{
    bool leaves_out = e->at_top && next->looks >= P3_CLOSES;
    next->no_top = next->no_top || leaves_out;
    return leaves_out;
}

static bool adapt_to_close(const p3_trust *now, p3_trust *next, const p3_evidence *e,
                           pop3_server_traits *learned)
{
    if (e->stage != P3_STAGE_LISTING && !p3_stage_looks(e->stage) && e->stage != P3_STAGE_RETRIEVAL)
        return false;
    if (e->retrieved > 0) {
        next->closes = 0;
        return false;
    }
    next->closes++;
    if (look_at_fewer(now, next, e, learned))
        return true;
    if (e->stage != P3_STAGE_FILTER && may_go_together(now, e)) { /* it sends one at a time */
        bool answered = p3_stage_looks(e->stage) && e->looked > 1;
        if (next->closes < P3_CLOSES || answered)
            return set_aside(now, next, e);
        next->one_at_a_time = P3_ONE_AT_A_TIME_CLOSE;
        return true;
    }
    return leave_out_top(next, e) || set_aside(now, next, e) || quit_earlier(e, learned) ||
           leave_out_uidl(next, e);
}

bool p3_trust_adapt(const p3_trust *now, p3_trust *next, const p3_evidence *e,
                    pop3_server_traits *learned)
{
    *learned = (pop3_server_traits){0};
    next->blame = P3_BLAME_NONE;
    if (commands_were_lost(now, e)) {
        next->one_at_a_time = P3_ONE_AT_A_TIME_SILENCE;
        (void)broke_at_deletion(now, next, e, learned);
        return true;
    }
    if (leave_out_sizes(now, next, e) || leave_out_nonsense(now, next, e))
        return true;
    bool closed = e->status == POP3_ERR_CLOSED;
    if (closed && e->stage > P3_STAGE_LOGIN &&
        (leave_out_what_was_refused(next, e) || save_commands(now, next, e)))
        return true;
    if (broke_at_deletion(now, next, e, learned))
        return true;
    next->looks += p3_stage_looks(e->stage);
    if (!closed)
        return p3_stage_looks(e->stage) && breaks_off(e->status) && !e->out_of_time &&
               !(e->pipelined && may_go_together(now, e)) &&
               (leave_out_top(next, e) || set_aside(now, next, e));
    if (e->stage == P3_STAGE_QUIT)
        quit_before_its_bound(next, e);
    return adapt_to_close(now, next, e, learned);
}

pop3_server_traits p3_trust_confirm(const p3_trust *now, p3_trust *next, bool deleted, bool idle)
{
    pop3_server_traits learned = {0};
    next->quits = 0;
    next->postponed.answered = next->postponed.answered || deleted;
    next->idle = idle;
    if (deleted)
        learned.quit_after = now->quit_after;
    if (now->no_uidl)
        learned.flags |= POP3_TRAIT_NO_UIDL;
    if (now->no_top)
        learned.flags |= POP3_TRAIT_NO_TOP;
    if (now->one_at_a_time == P3_ONE_AT_A_TIME_CLOSE && !now->no_uidl)
        learned.flags |= POP3_TRAIT_ONE_AT_A_TIME;
    return learned;
}

const char *p3_trust_advice(const p3_trust *now, const p3_trust *next, const p3_evidence *e,
                            bool adapted)
{
    if (e->status != POP3_ERR_CLOSED || e->stage < P3_STAGE_LOGIN)
        return NULL;
    if (e->stage == P3_STAGE_LOGIN && e->logins > 0)
        return "if that happens each time, choose another mechanism with --auth";
    if (closes_before_any(now, next, e))
        return "it ends each session after a few commands: --utf8 off and --traits no-capa with "
               "--auth USER send fewer";
    if (e->deletes > 0 && !adapted)
        return "if it ends sessions early, --traits quit-after=1 deletes one message in each";
    if (may_go_together(now, e) && e->answered > 0 && e->retrieved == 0)
        return "if that happens each time, try --pipelining off";
    return NULL;
}

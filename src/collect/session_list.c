/* A session's first half: what is in the mailbox, what is known of it, and what is doubtful. */
#include "collect/session.h"
#include "collect/failure_text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static void plan(p3_session *s);

/* ---- the listing ---- */

static bool listing_failed(p3_session *s, const pop3_result *result)
{
    if (s->stage != P3_STAGE_LISTING)
        return true; /* the session has failed already */
    if (result->status == POP3_OK)
        return false;
    p3_session_lost(s, result->status);
    return true;
}

static bool take_uid(void *ctx, const pop3_entry *entry, pop3_str line)
{
    p3_session *s = ctx;
    (void)line;
    if (p3_mailbox_add(&s->box, entry->number, entry->uid))
        return true;
    p3_session_fail_memory(s);
    return false;
}

/* Without UIDL the messages have no names, and are all to be looked at. */
static bool take_number(void *ctx, const pop3_entry *entry, pop3_str line)
{
    p3_session *s = ctx;
    (void)line;
    if (!p3_mailbox_add(&s->box, entry->number, (pop3_str){"", 0})) {
        p3_session_fail_memory(s);
        return false;
    }
    s->box.at[s->box.count - 1].octets = entry->octets;
    return true;
}

static bool take_size(void *ctx, const pop3_entry *entry, pop3_str line)
{
    p3_session *s = ctx;
    if (s->no_uidl)
        return take_number(ctx, entry, line);
    if (p3_mailbox_size(&s->box, entry->number, entry->octets))
        return true;
    p3_session_fail_memory(s);
    return false;
}

static void submit_listing(p3_session *s, pop3_command_kind kind, pop3_entry_fn entry,
                           pop3_done_fn done)
{
    pop3_command command = POP3_COMMAND_INIT;
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    command.kind = kind;
    handlers.entry = entry;
    handlers.done = done;
    handlers.ctx = s;
    pop3_status status = pop3_client_submit(s->client, &command, &handlers);
    if (status != POP3_OK)
        p3_session_lost(s, status);
}

bool p3_session_needs_sizes(const p3_session *s)
{
    return s->run->options->sizes || s->account->max_size > 0 || s->account->kill_size > 0 ||
           s->no_uidl;
}

static bool knows(const p3_session *s, p3_standing standing)
{
    size_t i = 0;
    while (i < s->rows.count && s->rows.at[i].standing != standing)
        i++;
    return i < s->rows.count;
}

/* LIST tells of messages that UIDL lacks, and of unique-ids that are used again. Beside UIDL it
 * costs no round trip. */
static bool wants_sizes_beside(const p3_session *s)
{
    return pop3_client_pipelines(s->client) && !s->approach.frugal && !s->approach.no_sizes;
}

/* Behind UIDL it costs one, and a command that a server which bounds sessions may lack later. */
static bool wants_sizes_behind(const p3_session *s)
{
    bool to_spare = !s->approach.frugal && p3_session_quota(s) == SIZE_MAX;
    bool any = s->box.count > 0;
    if (s->approach.no_sizes)
        return any && p3_session_needs_sizes(s);
    return to_spare || s->listed_again ||
           (any && (p3_session_needs_sizes(s) || s->box.numbered || s->box.has_gaps ||
                    knows(s, P3_DOUBTED)));
}

static void sizes_listed(void *ctx, pop3_client *client, const pop3_result *result)
{
    p3_session *s = ctx;
    (void)client;
    if (s->stage != P3_STAGE_LISTING)
        return;
    if (result->status == POP3_ERR_REFUSED && !p3_session_needs_sizes(s))
        plan(s);
    else if (!listing_failed(s, result) && p3_session_agree(s))
        plan(s);
}

static void uids_listed(void *ctx, pop3_client *client, const pop3_result *result)
{
    p3_session *s = ctx;
    (void)client;
    if (s->stage != P3_STAGE_LISTING)
        return;
    /* Some servers have UIDL without announcing it, some announce it and refuse it: try it. One
     * that refuses it for the time being still has it: without it all would be looked at. */
    if (result->status == POP3_ERR_REFUSED && !p3_is_for_later(s->client, result->status)) {
        s->no_uidl = true;
        if (!s->sizes_asked)
            submit_listing(s, POP3_CMD_LIST, take_number, sizes_listed);
        return; /* else LIST's answer comes next */
    }
    if (listing_failed(s, result))
        return;
    if (!p3_mailbox_seal(&s->box))
        p3_session_fail_memory(s);
    else if (!s->sizes_asked && wants_sizes_behind(s))
        submit_listing(s, POP3_CMD_LIST, take_size, sizes_listed);
    else if (!s->sizes_asked)
        plan(s);
}

void p3_session_list(p3_session *s)
{
    s->no_uidl =
        s->no_uidl || s->approach.no_uidl || (s->known.traits.flags & POP3_TRAIT_NO_UIDL) != 0;
    if (s->no_uidl) {
        submit_listing(s, POP3_CMD_LIST, take_number, sizes_listed);
        return;
    }
    s->sizes_asked = wants_sizes_beside(s);
    submit_listing(s, POP3_CMD_UIDL, take_uid, uids_listed);
    if (s->sizes_asked && s->stage == P3_STAGE_LISTING)
        submit_listing(s, POP3_CMD_LIST, take_size, sizes_listed);
}

/* ---- doubtful messages ---- */

static pop3_sink_result look(p3_session *s, const char *data, size_t len)
{
    p3_header_take(&s->look, data, len);
    return s->look.done ? POP3_SINK_DISCARD : POP3_SINK_CONTINUE;
}

static void looked(p3_session *s, p3_mail *mail, const pop3_result *result)
{
    bool whole =
        result->status == POP3_OK || (result->status == POP3_ERR_CANCELLED && s->look.done);
    if (whole && !s->look.failed) {
        p3_look look = {.print = p3_fingerprint_of(s->look.data, s->look.len),
                        .distinctive = p3_header_is_distinctive(s->look.data, s->look.len)};
        if (!p3_mailbox_set_look(&s->box, (size_t)(mail - s->box.at), look))
            p3_session_fail_memory(s);
    } else if (result->status != POP3_ERR_REFUSED) {
        p3_session_lost(s, result->status);
    } else if (result->command == POP3_CMD_TOP) {
        (void)p3_window_by_retr(&s->looking);
    } else if (!p3_session_disbelieve(s, mail)) {
        p3_problem why;
        p3_describe_refused_message(s->client, &why);
        s->tally.unseen++;
        p3_session_tell(s, P3_NOTICE_FAILED, mail, NULL, &why);
    }
    p3_header_reset(&s->look);
}

static void begin_looking(p3_session *s)
{
    s->stage = P3_STAGE_LOOKING;
    s->looking.sink = look;
    s->looking.done = looked;
    if (!p3_session_can_top(s))
        s->looking.kind = POP3_CMD_RETR;
    for (size_t i = 0; i < s->box.count; i++) {
        if (s->box.at[i].todo == P3_TODO_LOOK && !p3_window_add(&s->looking, i))
            return;
    }
    /* The first goes alone, to find out whether TOP works. */
    s->looking.most = 1;
    p3_window_fill(&s->looking);
    s->looking.most = 2048;
}

/* Unique-ids that are numbers may be so because the mailbox is new, and has few messages. */
#define P3_NUMBERED_LEAST 3

/* Says in the first run what its user had better know. */
static void remark(p3_session *s)
{
    if (s->rows.count == 0 && s->box.numbered && s->box.count >= P3_NUMBERED_LEAST)
        p3_session_tell(s, P3_NOTICE_REMARK, NULL,
                        "the server's unique-ids are message numbers, which are used again when "
                        "mail is deleted; messages are told apart by size and header",
                        NULL);
    if (s->rows.count == 0 && s->plan.twice > 0)
        p3_session_tell(s, P3_NOTICE_REMARK, NULL,
                        "the server's unique-ids are not unique: some occur more than once; those "
                        "messages are told apart by their headers",
                        NULL);
}

static void plan(p3_session *s)
{
    if (!p3_mailbox_seal(&s->box)) {
        p3_session_fail_memory(s);
        return;
    }
    s->tally.listed = s->box.count;
    if (s->tally.listed_most < s->box.count)
        s->tally.listed_most = s->box.count;
    if (!p3_plan_make(&s->plan, &s->box, &s->rows)) {
        p3_session_fail_memory(s);
        return;
    }
    remark(s);
    p3_session_leave_aside(s);
    if (s->plan.looks > 0) {
        begin_looking(s);
        return;
    }
    s->stage = P3_STAGE_LOOKING; /* there is nothing to look at */
    p3_session_filter(s);
}

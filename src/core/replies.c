/* The engine's input: octets from the server become events. */
#include "core/engine_state.h"

#include "core/commands.h"
#include "core/text.h"
#include "core/values.h"

#include <stdlib.h>
#include <string.h>

static const pop3_str nothing = {NULL, 0};

static p3_queued *current(const pop3_engine *e)
{
    return p3_queue_at(&e->queue, 0);
}

static p3_answer answer_to(const p3_queued *c)
{
    return p3_command_about(c->kind)->answer;
}

static bool is_auth(const p3_queued *c)
{
    return p3_command_about(c->kind)->argument == P3_ARGUMENT_MECHANISM;
}

static void begin_event(pop3_event *ev, pop3_event_kind kind, const p3_queued *c)
{
    *ev = (pop3_event){
        .kind = kind,
        .command = c->kind,
        .number = c->number,
        .tag = c->tag,
    };
}

/* Removes the first command from the queue and creates its DONE event. Returns whether the caller
 * gets the event. */
static bool finish_command(pop3_engine *e, pop3_event *ev, pop3_status status)
{
    p3_queued c = p3_queue_pop(&e->queue);
    pop3_event done;
    begin_event(&done, POP3_EVENT_DONE, &c);
    done.status = status;
    done.sent = e->in_flight > 0;
    if (e->in_flight > 0)
        p3_engine_answered(e, &c);
    e->answers += status == POP3_OK || status == POP3_ERR_REFUSED;
    if (p3_command_about(c.kind)->effect == P3_EFFECT_TLS)
        e->upgrades--;
    e->expect = P3_EXPECT_STATUS;
    e->prefaces = 0;
    p3_queued_clear(&c);
    *ev = done;
    return !c.internal;
}

/* The message with the unproven end turns out to be complete, or not. */
static bool release_held(pop3_engine *e, pop3_event *ev, pop3_status status)
{
    begin_event(ev, POP3_EVENT_DONE, &e->held);
    ev->status = status;
    ev->size = p3_match_size(&e->size, e->octets);
    ev->sent = true;
    p3_queued_clear(&e->held);
    e->held_set = false;
    return true;
}

/* After the connection died: an event for the greeting if it was awaited, and for each command. */
static bool next_failure(pop3_engine *e, pop3_event *ev)
{
    if (e->held_set) {
        /* A clean end without a contradiction counts, unless something other than a reply followed.
         */
        bool lost = e->error != POP3_ERR_PROTOCOL && e->error != POP3_ERR_LIMIT;
        bool clean = e->wanted == P3_PROOF_REPLY &&
                     p3_match_size(&e->size, e->octets) == POP3_SIZE_UNANNOUNCED;
        return release_held(e, ev, lost && clean ? POP3_OK : e->error);
    }
    if (!e->greeting_reported) {
        e->greeting_reported = true;
        *ev = (pop3_event){.kind = POP3_EVENT_GREETING, .status = e->error};
        return true;
    }
    while (e->queue.count > 0) {
        if (finish_command(e, ev, e->error))
            return true;
    }
    return false;
}

static bool take_greeting(pop3_engine *e, pop3_event *ev, pop3_str line)
{
    pop3_reply reply;
    if (!p3_parse_reply(line, &reply)) {
        p3_engine_die(e, POP3_ERR_PROTOCOL, "the greeting is not a POP3 greeting", line);
        return false;
    }
    e->greeting = malloc(line.len);
    if (e->greeting == NULL) {
        p3_engine_die(e, POP3_ERR_MEMORY, "out of memory for the greeting", nothing);
        return false;
    }
    memcpy(e->greeting, line.data, line.len);
    e->greeting_len = line.len;
    if (!reply.ok)
        p3_engine_die(e, POP3_ERR_REFUSED, "the server refused the connection", line);
    else
        e->state = POP3_STATE_AUTHORIZATION;
    e->greeting_reported = true;
    *ev = (pop3_event){.kind = POP3_EVENT_GREETING, .status = e->error, .reply = reply};
    return true;
}

/* The effect of +OK to a command with a one-line answer. */
static void note_success(pop3_engine *e, p3_effect effect)
{
    switch (effect) {
    case P3_EFFECT_LOGIN:
        e->state = POP3_STATE_TRANSACTION;
        e->deleted = 0;
        p3_engine_forget_capabilities(e);
        break;
    case P3_EFFECT_TLS:
        e->wants_tls = true;
        p3_engine_forget_capabilities(e);
        break;
    case P3_EFFECT_DELETE:
        e->deleted++;
        break;
    case P3_EFFECT_RESET:
        e->deleted = 0;
        break;
    case P3_EFFECT_END:
        e->state = POP3_STATE_UPDATE;
        break;
    case P3_EFFECT_NONE:
        break;
    }
}

/* Parses the values in a one-line reply into ev. False when they are invalid. */
static bool take_values(const p3_queued *c, const pop3_reply *reply, pop3_stat *stat,
                        pop3_entry *entry)
{
    switch (answer_to(c)) {
    case P3_ANSWER_STAT:
        return p3_parse_stat(reply->text, stat);
    case P3_ANSWER_SIZE:
        return p3_parse_list_reply(reply->text, c->number, entry);
    case P3_ANSWER_UID:
        return p3_parse_uidl_reply(reply->text, c->number, entry);
    default:
        return true;
    }
}

/* Whether the reply is that to a RETR, for a command that has no such answer. */
static bool is_another_s_reply(const p3_queued *c, const pop3_reply *reply)
{
    return answer_to(c) == P3_ANSWER_PLAIN && p3_is_announcement(reply->text);
}

static void die_out_of_step(pop3_engine *e, pop3_str line)
{
    p3_engine_die(e, POP3_ERR_PROTOCOL, "the reply belongs to another command", line);
}

static bool refused(pop3_engine *e, pop3_event *ev, const pop3_reply *reply)
{
    if (answer_to(current(e)) == P3_ANSWER_CAPABILITIES) {
        e->caps_known = false;
        e->caps_refused = true;
        e->announced = false;
    }
    if (p3_command_about(current(e)->kind)->effect == P3_EFFECT_END)
        e->state = POP3_STATE_UPDATE; /* the server closes the connection anyway (RFC 1939 §6) */
    bool shown = finish_command(e, ev, POP3_ERR_REFUSED);
    ev->reply = *reply;
    return shown;
}

/* +OK to a command with a one-line answer. */
static bool accepted(pop3_engine *e, pop3_event *ev, const pop3_reply *reply)
{
    const p3_queued *c = current(e);
    p3_effect effect = p3_command_about(c->kind)->effect;
    pop3_stat stat = {0};
    pop3_entry entry = {0};
    if (is_another_s_reply(c, reply)) {
        die_out_of_step(e, reply->line);
        return false;
    }
    if (!take_values(c, reply, &stat, &entry)) {
        p3_engine_die(e, POP3_ERR_PROTOCOL, "the reply is invalid",
                      e->echo_at == SIZE_MAX ? reply->line : nothing);
        return false;
    }
    if (effect == P3_EFFECT_TLS && e->in != e->in_end) {
        p3_engine_die(e, POP3_ERR_PROTOCOL,
                      "data arrived in the clear after the reply to STLS; an attacker may be "
                      "tampering with the connection",
                      nothing);
        return false;
    }
    bool shown = finish_command(e, ev, POP3_OK);
    note_success(e, effect);
    ev->reply = *reply;
    ev->stat = stat;
    ev->entry = entry;
    return shown;
}

/* +OK to a command with a longer answer. */
static bool begin_lines(pop3_engine *e, pop3_event *ev, const pop3_reply *reply)
{
    const p3_queued *c = current(e);
    if (p3_answer_is_message(answer_to(c))) {
        bool crlf = e->line_end.crlf;
        p3_body_begin(&e->body, crlf, e->line_end.leading_cr);
        e->octets = 0;
        e->size = p3_announcement(reply->text, c->octets);
        e->expect = P3_EXPECT_BODY;
    } else {
        e->entries = e->remarks = 0;
        e->expect = P3_EXPECT_LISTING;
    }
    if (answer_to(c) == P3_ANSWER_CAPABILITIES) {
        p3_caps_clear(&e->caps);
        e->caps_known = false;
    }
    begin_event(ev, POP3_EVENT_REPLY, c);
    ev->reply = *reply;
    return !c->internal;
}

static bool take_challenge(pop3_engine *e, pop3_event *ev, pop3_str challenge)
{
    if (e->challenges++ >= e->options.limits.challenges) {
        p3_engine_die(e, POP3_ERR_LIMIT, "AUTH: more challenges than the limit allows", nothing);
        return false;
    }
    p3_engine_trace(e, 1, POP3_TRACE_RECEIVED, p3_span("+ ***", 5));
    begin_event(ev, POP3_EVENT_CHALLENGE, current(e));
    ev->data = challenge;
    e->auth_waits = true;
    return true;
}

/* What followed a message with an unproven end is not a reply. */
static void die_unproven(pop3_engine *e, pop3_str line)
{
    bool clean = e->wanted == P3_PROOF_IF_FREE || e->wanted == P3_PROOF_REPLY;
    p3_engine_die(e, POP3_ERR_PROTOCOL,
                  clean ? "what follows the message is not a reply, so that it may not be whole"
                        : "a line with a single dot did not end the message: the server does not "
                          "stuff every dot; what follows the line",
                  line);
}

/* The server sent a line unasked. "-ERR" is its last message, for instance after a timeout;
 * anything else means that replies do not match commands. */
static void out_of_turn(pop3_engine *e)
{
    pop3_str rest = p3_span(e->in, (size_t)(e->in_end - e->in));
    const char *lf = memchr(rest.data, '\n', rest.len);
    if (lf != NULL)
        rest.len = (size_t)(lf - rest.data);
    if (rest.len > 0 && rest.data[rest.len - 1] == '\r')
        rest.len--;
    if (e->wants_tls)
        p3_engine_die(e, POP3_ERR_PROTOCOL,
                      "data arrived in the clear after the reply to STLS; an attacker may be "
                      "tampering with the connection",
                      nothing);
    else if (e->held_set)
        die_unproven(e, rest);
    else if (rest.len > 0 && rest.data[0] == '-')
        p3_engine_die(e, POP3_ERR_CLOSED, "the server ended the session", rest);
    else
        p3_engine_die(e, POP3_ERR_PROTOCOL, "the server sent data that was not requested", rest);
}

/* A server that ends lines with LF CR leaves a CR behind after its last reply. It waits in the line
 * buffer, where p3_line_take() expects it. */
static void keep_left_over_cr(pop3_engine *e)
{
    pop3_str line;
    p3_line_end how;
    if (!e->wants_tls && !e->line_end.crlf && e->line.len == 0 && *e->in == '\r')
        p3_line_take(&e->line, &e->in, e->in + 1, &line, &how);
}

/* Gets a complete status line into e->ready. False when it is incomplete, or when the engine died.
 */
static bool get_status_line(pop3_engine *e)
{
    if (e->have_ready)
        return true;
    bool asked = e->state == POP3_STATE_GREETING || (e->in_flight > 0 && !e->auth_waits);
    if (!asked) {
        keep_left_over_cr(e);
        if (e->in != e->in_end)
            out_of_turn(e);
        return false;
    }
    pop3_str line;
    switch (p3_line_take(&e->line, &e->in, e->in_end, &line, &e->line_end)) {
    case P3_LINE_READY:
        e->ready = line;
        e->have_ready = true;
        return true;
    case P3_LINE_TOO_LONG:
        p3_engine_die(e, POP3_ERR_LIMIT, "a reply line is longer than the limit", nothing);
        return false;
    default:
        return false;
    }
}

/* Sends a NOOP for its reply. */
static void ask_for_proof(pop3_engine *e)
{
    p3_queued noop = {.kind = POP3_CMD_NOOP, .internal = true};
    if (!p3_queue_push_front(&e->queue, &noop))
        p3_engine_die(e, POP3_ERR_MEMORY, "out of memory for NOOP", nothing);
}

/* A status line shows whether a message with an unproven end was complete. */
static bool finish_held(pop3_engine *e, pop3_event *ev)
{
    pop3_reply reply;
    if (!pop3_is_status_line(e->ready)) {
        die_unproven(e, e->ready);
        return false;
    }
    if (p3_parse_reply(e->ready, &reply) && is_another_s_reply(current(e), &reply)) {
        die_out_of_step(e, e->ready);
        return false;
    }
    if (current(e)->internal) { /* the NOOP that was sent for this reply only */
        pop3_event unused;
        p3_engine_trace(e, 1, POP3_TRACE_RECEIVED, e->ready);
        e->have_ready = false;
        finish_command(e, &unused, POP3_OK);
    }
    if (--e->replies > 0) {
        ask_for_proof(e);
        return false;
    }
    return release_held(e, ev, POP3_OK);
}

/* The last secret that a login's command has sent: its argument, or a response. */
static pop3_str secret_of(const p3_queued *c)
{
    pop3_str s = p3_span(c->text, c->text_len);
    switch (p3_command_about(c->kind)->secrecy) {
    case P3_SECRECY_ALL:
        return s;
    case P3_SECRECY_TAIL: { /* after the name or the mechanism */
        const char *blank = s.len == 0 ? NULL : memchr(s.data, ' ', s.len);
        return blank == NULL ? nothing : p3_skip(s, (size_t)(blank - s.data) + 1);
    }
    default:
        return nothing;
    }
}

/* Where the status line repeats a secret: that of its own command, or that of PASS, which may be
 * the last command in flight. */
static size_t find_echo(const pop3_engine *e)
{
    const p3_queued *last = p3_queue_at(&e->queue, e->in_flight - 1);
    bool password = p3_command_about(last->kind)->secrecy == P3_SECRECY_ALL;
    return p3_find_echo(e->ready, secret_of(password ? last : current(e)), password);
}

pop3_str pop3_engine_public_part(const pop3_engine *e, const pop3_reply *reply, pop3_str part)
{
    size_t from = part.len == 0 ? 0 : (size_t)(part.data - reply->line.data);
    size_t shown = from < e->echo_at ? e->echo_at - from : 0;
    return p3_span(part.data, part.len < shown ? part.len : shown);
}

/* Traces the status line. Some servers repeat invalid commands: secrets are hidden. */
static void trace_status(const pop3_engine *e)
{
    char shown[200];
    if (e->echo_at == SIZE_MAX) {
        p3_engine_trace(e, 1, POP3_TRACE_RECEIVED, e->ready);
        return;
    }
    p3_text t = p3_text_begin(shown, sizeof shown);
    p3_text_add_printable(&t, p3_span(e->ready.data, e->echo_at), 100);
    p3_text_add(&t, "***");
    p3_engine_trace(e, 1, POP3_TRACE_RECEIVED, p3_span(shown, strlen(shown)));
}

/* Lines that may come before the reply to APOP. */
#define P3_PREFACES_MOST 3

/* Counts a line that may come before the reply to APOP, which is sent alone: no other command's
 * reply can be taken for its own. False for a line that may not. */
static bool allow_preface(pop3_engine *e, const p3_queued *c)
{
    bool may_be = c->kind == POP3_CMD_APOP && e->prefaces < P3_PREFACES_MOST;
    e->prefaces += may_be;
    return may_be;
}

/* Processes a status line. False when there is no event for the caller. */
static bool take_status(pop3_engine *e, pop3_event *ev)
{
    if (!get_status_line(e))
        return false;
    if (e->held_set)
        return finish_held(e, ev);
    e->have_ready = false;
    if (e->state == POP3_STATE_GREETING) {
        p3_engine_trace(e, 1, POP3_TRACE_RECEIVED, e->ready);
        return take_greeting(e, ev, e->ready);
    }
    const p3_queued *c = current(e);
    pop3_str challenge;
    if (is_auth(c) && p3_parse_challenge(e->ready, &challenge))
        return take_challenge(e, ev, challenge);
    pop3_reply reply;
    e->echo_at = find_echo(e);
    bool parsed = p3_parse_reply(e->ready, &reply);
    /* Exchange 2003 requests the next response with "+OK". It cannot be a login. */
    if (parsed && reply.ok && is_auth(c) && e->unsaid > 0)
        return take_challenge(e, ev, nothing);
    if (!parsed && allow_preface(e, c)) {
        trace_status(e);
        return false;
    }
    if (!parsed) {
        bool secret = is_auth(c); /* it may still be a challenge */
        p3_engine_die(e, POP3_ERR_PROTOCOL, "the reply starts with neither + nor -",
                      secret || e->echo_at != SIZE_MAX ? nothing : e->ready);
        return false;
    }
    trace_status(e);
    if (is_auth(c))
        e->challenges = 0;
    if (!reply.ok)
        return refused(e, ev, &reply);
    return p3_answer_has_lines(answer_to(c)) ? begin_lines(e, ev, &reply) : accepted(e, ev, &reply);
}

/* Whether a line in a listing of unique-ids is a remark of the server, which then costs at most one
 * message its unique-id, and not the session. A reply in a listing is that to another command. */
static bool is_remark(pop3_str line)
{
    pop3_str s = p3_trim_left(line);
    bool numbered = s.len > 0 && p3_is_digit(s.data[0]);
    return !numbered && !pop3_is_status_line(line);
}

/* The end of a listing. */
static bool end_listing(pop3_engine *e, pop3_event *ev)
{
    if (e->remarks > 0 && e->remarks == e->entries) {
        p3_engine_die(e, POP3_ERR_PROTOCOL, "no line of the listing is valid", nothing);
        return false;
    }
    if (answer_to(current(e)) == P3_ANSWER_CAPABILITIES) {
        if (!p3_caps_finish(&e->caps)) {
            p3_engine_die(e, POP3_ERR_MEMORY, "out of memory for capabilities", nothing);
            return false;
        }
        e->caps.value.flags &= ~e->options.masked;
        e->caps_known = true;
        e->announced = (e->caps.value.flags & POP3_CAP_PIPELINING) != 0;
    }
    return finish_command(e, ev, POP3_OK);
}

static bool add_capability(pop3_engine *e, pop3_str line)
{
    if (e->entries > e->options.limits.capabilities)
        p3_engine_die(e, POP3_ERR_LIMIT, "CAPA: more lines than the limit allows", nothing);
    else if (!p3_caps_add(&e->caps, line))
        p3_engine_die(e, POP3_ERR_MEMORY, "out of memory for capabilities", nothing);
    return e->state != POP3_STATE_DEAD;
}

/* Processes a line of a listing. False when there is no event for the caller. */
static bool take_listing(pop3_engine *e, pop3_event *ev)
{
    pop3_str line;
    p3_line_end how;
    switch (p3_line_take(&e->line, &e->in, e->in_end, &line, &how)) {
    case P3_LINE_READY:
        break;
    case P3_LINE_TOO_LONG:
        p3_engine_die(e, POP3_ERR_LIMIT, "a line of the listing is longer than the limit", nothing);
        return false;
    default:
        return false;
    }
    const p3_queued *c = current(e);
    p3_answer answer = answer_to(c);
    if (line.len == 1 && line.data[0] == '.')
        return end_listing(e, ev);
    if (line.len >= 2 && line.data[0] == '.' && line.data[1] == '.')
        line = p3_skip(line, 1);
    p3_engine_trace(e, 2, POP3_TRACE_LINE, line);
    if (++e->entries > e->options.limits.entries) {
        p3_engine_die(e, POP3_ERR_LIMIT, "the listing has more entries than the limit", nothing);
        return false;
    }
    if (answer == P3_ANSWER_CAPABILITIES && !add_capability(e, line))
        return false;
    if ((answer == P3_ANSWER_SIZES || answer == P3_ANSWER_UIDS) && line.len == 0)
        return false; /* a remark: ignored */
    if (answer == P3_ANSWER_UIDS && is_remark(line)) {
        e->remarks++;
        return false;
    }
    begin_event(ev, POP3_EVENT_ENTRY, c);
    ev->data = line;
    bool ok = true;
    if (answer == P3_ANSWER_SIZES)
        ok = p3_parse_list_entry(line, &ev->entry);
    else if (answer == P3_ANSWER_UIDS)
        ok = p3_parse_uidl_entry(line, &ev->entry);
    if (!ok) {
        p3_engine_die(e, POP3_ERR_PROTOCOL, "a line of the listing is invalid", line);
        return false;
    }
    return !c->internal;
}

/* Whether the dot that ends the message is certainly not a line of it: it does not follow or
 * precede a bare LF if lines end with CRLF, and is not at the start of the message. (Dovecot 2.3
 * does not stuff a dot that is the first octet of a message, so a first line of one dot looks like
 * an empty message.) */
static bool end_is_clean(const pop3_engine *e)
{
    bool lines_are_crlf = e->line_end.crlf && !e->line_end.leading_cr;
    return e->octets != 0 && (!lines_are_crlf || p3_body_ended_with_crlf(&e->body));
}

/* What is needed to believe that the current message has ended. TOP announces no size. */
static p3_proof proof_wanted(const pop3_engine *e)
{
    bool clean = end_is_clean(e);
    if (e->options.trust_message_ends)
        return P3_PROOF_NONE;
    if (answer_to(current(e)) == P3_ANSWER_PART) {
        p3_proof unclean = e->options.prove_message_ends ? P3_PROOF_ALONE : P3_PROOF_NOOP;
        return clean ? P3_PROOF_NONE : unclean;
    }
    pop3_size_match size = p3_match_size(&e->size, e->octets);
    p3_proof wanted = p3_proof_wanted(clean, size, e->options.prove_message_ends);
    return wanted == P3_PROOF_IF_FREE && e->in_flight == 1 ? P3_PROOF_NONE : wanted;
}

/* Whether the next command's reply must follow the proof: QUIT may delete what was retrieved (RFC
 * 1939 §8). */
static bool next_goes_alone(const pop3_engine *e)
{
    return e->queue.count == 0 ||
           p3_command_about(p3_queue_at(&e->queue, 0)->kind)->window == P3_WINDOW_ALONE;
}

/* Delays the DONE event until the next reply, and ensures that there will be one. */
static void hold(pop3_engine *e, p3_proof wanted)
{
    e->held = p3_queue_pop(&e->queue);
    e->held_set = true;
    e->wanted = wanted;
    e->replies = wanted == P3_PROOF_ALONE ? 2 : 1;
    p3_engine_answered(e, &e->held);
    e->answers++;
    e->expect = P3_EXPECT_STATUS;
    if (wanted == P3_PROOF_ALONE && e->in_flight > 0)
        p3_engine_die(e, POP3_ERR_PROTOCOL,
                      "the message ends next to a bare LF and no announced size confirms that, so "
                      "that what follows may belong to it",
                      nothing);
    else if (e->in_flight == 0 && (wanted != P3_PROOF_REPLY || next_goes_alone(e)))
        ask_for_proof(e);
}

/* Processes a piece of a message. False when there is no event for the caller. */
static bool take_body(pop3_engine *e, pop3_event *ev)
{
    const p3_queued *c = current(e);
    pop3_str chunk;
    bool end = p3_body_take(&e->body, &e->in, e->in_end, &chunk);
    p3_proof wanted = end ? proof_wanted(e) : P3_PROOF_NONE;
    if (end && wanted == P3_PROOF_NONE) {
        bool shown = finish_command(e, ev, POP3_OK);
        ev->size = p3_match_size(&e->size, e->octets);
        return shown;
    }
    if (end)
        hold(e, wanted);
    if (chunk.len == 0)
        return false;
    uint64_t left = e->options.limits.message_octets - e->octets;
    if (chunk.len > left) { /* octets within the limit are returned, however the input was split */
        p3_engine_die(e, POP3_ERR_LIMIT, "the message is larger than the limit", nothing);
        chunk.len = (size_t)left;
        if (left == 0)
            return false;
    }
    e->octets += chunk.len;
    p3_engine_trace(e, 2, POP3_TRACE_BODY, chunk);
    begin_event(ev, POP3_EVENT_BODY, c);
    ev->data = chunk;
    return true;
}

bool pop3_engine_next(pop3_engine *e, pop3_event *ev)
{
    for (;;) {
        if (e->state == POP3_STATE_DEAD)
            return next_failure(e, ev);
        if (e->state == POP3_STATE_UPDATE)
            e->in = e->in_end; /* the session has ended: the rest is ignored */
        if (e->in == e->in_end && !e->have_ready)
            return false;
        bool made = false;
        switch (e->expect) {
        case P3_EXPECT_STATUS:
            made = take_status(e, ev);
            break;
        case P3_EXPECT_LISTING:
            made = take_listing(e, ev);
            break;
        case P3_EXPECT_BODY:
            made = take_body(e, ev);
            break;
        }
        if (made)
            return true;
    }
}

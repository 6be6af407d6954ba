/* Whether replies are those of our questions. POP3 matches them by order alone: a server that stops
 * stuffing dots, or answers once too often or too seldom, makes one message pass for another, or a
 * part of one for the whole.
 *
 * What is believed, and when:
 *   - that a message ended where it seemed to: when its octets are as many as the reply to RETR, or
 *     LIST, announced, or when a reply that fits came behind it. What came last in a batch waits
 *     for that (NOOP asks for a reply if need be), so that half a message is never delivered;
 *   - that it was the message asked for: for as long as the session goes on in step. DELE means
 *     nothing before QUIT, and QUIT is sent when everything has been answered.
 * A session that falls out of step ends. What has not been handed in is thrown away, and comes
 * again. What was delivered is in doubt: the next session compares headers before it believes that
 * those messages are known. In the same run that session works without pipelining, where a reply
 * too many, or too few, shows at the message it belongs to. */
#include "sync/session.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

/* Whether octets begin with a status line to the letter: "+OK" or "-ERR", and a blank or line end.
 */
static bool is_status(const char *data, size_t len)
{
    size_t word = len >= 4 && strncasecmp(data, "-ERR", 4) == 0  ? 4
                  : len >= 3 && strncasecmp(data, "+OK", 3) == 0 ? 3
                                                                 : 0;
    return word > 0 && (len == word || memchr(" \t\r\n", data[word], 4) != NULL);
}

/* "120 octets": what a reply to RETR announces, as most do; or P3_SIZE_UNKNOWN. */
static uint64_t announced(pop3_str text)
{
    uint64_t octets = 0;
    size_t n = 0;
    for (; n < text.len && n < 18 && text.data[n] >= '0' && text.data[n] <= '9'; n++)
        octets = octets * 10 + (uint64_t)(text.data[n] - '0');
    bool number = n > 0 && (n == text.len || text.data[n] == ' ');
    return number ? octets : P3_SIZE_UNKNOWN;
}

/* "120 octets": the reply to a RETR, and to no other command. */
static bool announces_octets(pop3_str text)
{
    static const char word[] = " octets";
    return announced(text) != P3_SIZE_UNKNOWN &&
           memmem(text.data, text.len, word, sizeof word - 1) != NULL;
}

bool p3_session_replied(p3_session *s, const pop3_result *result)
{
    bool strict = is_status(result->reply.line.data, result->reply.line.len);
    if (result->reply.line.len > 0 && !strict && s->last != NULL && !s->last_whole)
        s->last->again = true; /* it may be a line of that message */
    return strict;
}

bool p3_session_is_whole(p3_session *s, p3_mail *mail, const pop3_result *result)
{
    const p3_header *h = &s->message.header;
    uint64_t octets = result->octets;
    s->last = mail;
    s->last_whole = octets == announced(result->reply.text) || octets == mail->octets;
    if (!s->last_whole && is_status(h->data, h->len))
        s->odd = true; /* the reply to the next RETR, as it seems */
    return s->last_whole;
}

bool p3_session_is_out_of_step(const p3_session *s, pop3_status status)
{
    return status == POP3_ERR_PROTOCOL || (status == POP3_ERR_LIMIT && !s->in_message) || s->odd;
}

void p3_session_fall_out(p3_session *s)
{
    p3_problem why;
    s->out_of_step = true;
    s->care_next = P3_CARE_STEPS;
    if (s->delivery != NULL)
        p3_session_throw_away(s);
    if (!s->unproven)
        return;
    p3_problem_set(
        &why, EX_PROTOCOL,
        "it is not certain that it is whole: what came after it was not the reply to the "
        "next command");
    s->unproven = false;
    p3_session_set_back(s, s->last, &why);
}

void p3_session_doubt(p3_session *s)
{
    if (!s->out_of_step || s->doubted)
        return;
    s->doubted = true;
    size_t n = 0;
    p3_change *changes = calloc(s->taking.count + 1, sizeof *changes);
    if (changes == NULL) {
        p3_session_fail_memory(s);
        return;
    }
    for (size_t i = 0; i < s->taking.finished; i++) {
        p3_mail *mail = &s->box.at[s->taking.mails[i]];
        p3_standing is = mail->row == P3_NO_ROW ? P3_INTENT : s->rows.at[mail->row].standing;
        if (is != P3_DELIVERED && is != P3_LEAVING)
            continue;
        s->rows.at[mail->row].tries += mail->again;
        changes[n++] = p3_session_change(s, mail, mail->again ? P3_INTENT : P3_DOUBTED);
    }
    if (n > 0)
        (void)p3_session_record(s, changes, n, NULL, "doubts-recorded");
    else
        free(changes);
}

/* ---- the reply behind the last message ---- */

static void proof_came(void *ctx, pop3_client *client, const pop3_result *result)
{
    p3_session *s = ctx;
    bool answered = result->status == POP3_OK || result->status == POP3_ERR_REFUSED;
    (void)client;
    if (s->stage != P3_STAGE_TAKING)
        return;
    if (!answered) {
        p3_session_lost(s, result->status);
    } else if (!p3_session_replied(s, result) || announces_octets(result->reply.text)) {
        p3_problem why;
        p3_problem_set(&why, EX_PROTOCOL, "NOOP: the reply is that to another command");
        p3_session_fall_out(s);
        s->retry = true;
        p3_session_fail(s, &why);
    } else {
        s->unproven = false;
    }
}

void p3_session_prove(p3_session *s)
{
    pop3_command noop = POP3_COMMAND_INIT;
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    bool all_asked = s->taking.submitted == s->taking.count;
    if (!s->unproven || !all_asked || s->proof_asked || s->stage != P3_STAGE_TAKING)
        return;
    s->proof_asked = true;
    noop.kind = POP3_CMD_NOOP;
    handlers.done = proof_came;
    handlers.ctx = s;
    pop3_status status = pop3_client_submit(s->client, &noop, &handlers);
    if (status != POP3_OK)
        p3_session_lost(s, status);
}

/* What UIDL and LIST do not agree on. A message that only LIST has is retrieved like those of a
 * server without UIDL: it is told by its header, and so neither lost nor deleted unread. */
#include "collect/session.h"

#include <inttypes.h>
#include <stdio.h>

/* Numbers that a remark names. */
#define P3_NAMED_MOST 8

/* Messages in words: "2, 5 and 7 more". */
typedef struct p3_numbers {
    char text[P3_NAMED_MOST * 12 + 40];
    size_t len;
    size_t count;
} p3_numbers;

static void add_number(p3_numbers *n, uint32_t number)
{
    if (n->count++ < P3_NAMED_MOST)
        n->len += (size_t)snprintf(n->text + n->len, sizeof n->text - n->len, "%s%" PRIu32,
                                   n->len > 0 ? ", " : "", number);
}

static void tell(p3_session *s, p3_numbers *n, const char *what, const char *done)
{
    char text[300];
    if (n->count == 0)
        return;
    if (n->count > P3_NAMED_MOST)
        (void)snprintf(n->text + n->len, sizeof n->text - n->len, " and %zu more",
                       n->count - P3_NAMED_MOST);
    snprintf(text, sizeof text, "%s: %s; %s", what, n->text, done);
    p3_session_tell(s, P3_NOTICE_REMARK, NULL, text, NULL);
}

/* Once in a run. */
static void tell_all(p3_session *s)
{
    p3_numbers by_list = {0};
    p3_numbers by_uidl = {0};
    if (s->approach.told)
        return;
    for (size_t i = 0; i < s->box.nameless_count; i++)
        add_number(&by_list, s->box.nameless[i].number);
    by_list.count = s->box.nameless_most;
    for (size_t i = 0; i < s->box.count; i++) {
        if (!s->box.at[i].sized)
            add_number(&by_uidl, s->box.at[i].number);
    }
    tell(s, &by_list, "the server's UIDL lacks messages that its LIST has",
         by_list.count > P3_NAMELESS_MOST
             ? "the first 1000 are retrieved, and told apart by their headers"
             : "they are retrieved, and told apart by their headers");
    tell(s, &by_uidl, "the server's LIST lacks messages that its UIDL has",
         "they are retrieved all the same");
    s->next.told = by_list.count + by_uidl.count > 0;
}

bool p3_session_disbelieve(p3_session *s, const p3_mail *mail)
{
    if (mail->only_listed)
        p3_session_tell(s, P3_NOTICE_SKIPPED, mail,
                        "LIST has it, but UIDL has not, and it cannot be retrieved", NULL);
    return mail->only_listed;
}

bool p3_session_agree(p3_session *s)
{
    if (s->no_uidl)
        return true;
    /* Mail may have come between the two, on a server that does not lock: it is asked once more, so
     * that such mail gets its unique-id, and is not delivered again when it has one. */
    if (s->box.nameless_count > 0 && !s->listed_again) {
        s->listed_again = true;
        p3_mailbox_free(&s->box);
        p3_session_list(s);
        return false;
    }
    tell_all(s);
    if (s->box.count == 0 && s->box.nameless_count > 0) { /* UIDL is empty: as good as refused */
        p3_session_learn(s, (pop3_server_traits){.flags = POP3_TRAIT_NO_UIDL});
        s->no_uidl = true;
        p3_mailbox_free(&s->box);
        p3_session_list(s);
        return false;
    }
    if (p3_mailbox_adopt(&s->box))
        return true;
    p3_session_fail_memory(s);
    return false;
}

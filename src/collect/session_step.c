/* Whether replies are those of our questions. POP3 matches them by order alone: a server that stops
 * stuffing dots, or answers once too often or too seldom, makes one message pass for another, or a
 * part of one for the whole.
 *
 * That a message ended where it seemed to is the engine's to prove (pop3_engine_next()): a message
 * is handed in once that is so. That it was the message asked for is believed for as long as the
 * session goes on in step. DELE means nothing before QUIT, and QUIT is sent when everything has
 * been answered.
 *
 * A session that falls out of step ends. What has not been handed in is thrown away, and comes
 * again. What was delivered is in doubt: the next session compares headers and sizes before it
 * believes that those messages are known. In the same run that session works without pipelining,
 * where a reply too many, or too few, shows at the message it belongs to. */
#include "collect/session.h"

#include <stdlib.h>
#include <string.h>

void p3_session_note_size(p3_session *s, p3_mail *mail, const pop3_result *result)
{
    const p3_header *h = &s->message.header;
    pop3_size_match size = result->size;
    const char *lf = h->len > 0 ? memchr(h->data, '\n', h->len) : NULL;
    size_t first = lf != NULL ? (size_t)(lf - h->data) : h->len;
    if (first > 0 && h->data[first - 1] == '\r')
        first--;
    static const p3_came came[] = {[POP3_SIZE_UNANNOUNCED] = P3_CAME_UNANNOUNCED,
                                   [POP3_SIZE_MATCHES] = P3_CAME_SIZED,
                                   [POP3_SIZE_DIFFERS] = P3_CAME_OTHER};
    /* What comes of LIST beside UIDL the engine was not told. */
    if (size != POP3_SIZE_MATCHES && mail->octets != P3_SIZE_UNKNOWN && mail->octets != 0)
        size = mail->octets == result->octets ? POP3_SIZE_MATCHES : POP3_SIZE_DIFFERS;
    mail->came = came[size];
    if (mail->came != P3_CAME_SIZED && first > 0 && pop3_is_status_line((pop3_str){h->data, first}))
        s->odd = true; /* the reply to the next RETR, as it seems */
}

bool p3_session_is_out_of_step(const p3_session *s, pop3_status status)
{
    return status == POP3_ERR_PROTOCOL || (status == POP3_ERR_LIMIT && !s->in_message) || s->odd;
}

void p3_session_fall_out(p3_session *s)
{
    s->out_of_step = true;
    s->next.care = P3_CARE_STEPS;
    if (s->delivery != NULL)
        p3_session_throw_away(s);
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
        p3_standing is = mail->row == P3_NO_ROW ? P3_GONE : s->rows.at[mail->row].standing;
        bool delivered = is == P3_DELIVERED || is == P3_LEAVING;
        bool suspect = mail->came > P3_CAME_SIZED; /* it may be the one that went wrong */
        bool another = mail->came == P3_CAME_OTHER;
        if (!delivered && !(is == P3_INTENT && suspect))
            continue;
        s->rows.at[mail->row].tries += suspect;
        /* What has another size than announced is not confirmed by a header. */
        if (delivered)
            changes[n++] = p3_session_change(s, mail, another ? P3_INTENT : P3_DOUBTED);
        else
            changes[n++] = (p3_change){.row = s->rows.at[mail->row]};
    }
    if (n > 0)
        (void)p3_session_record(s, changes, n, NULL, "doubts-recorded");
    else
        free(changes);
}

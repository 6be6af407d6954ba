/* Detects replies that do not match the commands sent. */
#include "collect/reply_order.h"

#include <stdlib.h>
#include <string.h>

#include "collect/choice.h"

bool p3_reply_order_check(p3_mail *mail, const p3_header *h, const pop3_result *result)
{
    pop3_size_match size = result->size;
    const char *lf = h->len > 0 ? memchr(h->data, '\n', h->len) : NULL;
    size_t first = lf != NULL ? (size_t)(lf - h->data) : h->len;
    if (first > 0 && h->data[first - 1] == '\r')
        first--;
    static const p3_came came[] = {[POP3_SIZE_UNANNOUNCED] = P3_CAME_UNANNOUNCED,
                                   [POP3_SIZE_MATCHES] = P3_CAME_SIZED,
                                   [POP3_SIZE_DIFFERS] = P3_CAME_OTHER};
    /* The engine was not told the sizes of a LIST that was sent with UIDL. */
    if (size != POP3_SIZE_MATCHES && mail->octets != P3_SIZE_UNKNOWN && mail->octets != 0)
        size = mail->octets == result->octets ? POP3_SIZE_MATCHES : POP3_SIZE_DIFFERS;
    mail->came = came[size];
    return mail->came != P3_CAME_SIZED && first > 0 &&
           pop3_is_status_line((pop3_str){h->data, first});
}

bool p3_reply_order_proves(const p3_maildrop *d, const p3_mail *mail)
{
    return mail->came == P3_CAME_SIZED && !mail->unsure &&
           p3_maildrop_row(d, mail)->octets == mail->octets;
}

/* The last message of a window that was received completely, or NULL. */
static const p3_mail *last_that_came(const p3_maildrop *d, const p3_window *w)
{
    size_t i = w->finished;
    while (i > 0 && d->box.at[w->mails[i - 1]].came == P3_CAME_NOT)
        i--;
    return i > 0 ? &d->box.at[w->mails[i - 1]] : NULL;
}

void p3_reply_order_doubt(p3_recorder *r, const p3_window *retrieved, bool behind, bool steps)
{
    const p3_maildrop *d = r->drop;
    p3_changes changes = {0};
    const p3_mail *last = behind ? last_that_came(d, retrieved) : NULL;
    for (size_t i = 0; i < retrieved->finished; i++) {
        p3_mail *mail = &d->box.at[retrieved->mails[i]];
        p3_standing is = mail->row == P3_NO_ROW ? P3_GONE : p3_maildrop_row(d, mail)->standing;
        bool delivered = is == P3_DELIVERED || is == P3_LEAVING || is == P3_DOUBTED;
        /* It may be the wrong one. */
        bool again = mail->came == P3_CAME_AGAIN;
        bool suspect = steps || again ? mail == last && mail->came != P3_CAME_SIZED
                                      : mail->came > P3_CAME_SIZED;
        /* A header does not confirm a message with another size than announced, nor the wrong one,
         * nor one that was received again, because it may be wrong in the same way. */
        bool another =
            mail->came == P3_CAME_OTHER || (again && !steps) || (suspect && (again || steps));
        if (!delivered && !again && !(p3_is_intent(is) && suspect))
            continue;
        if (suspect)
            p3_count_trouble(p3_maildrop_row(d, mail), steps);
        if (delivered || again)
            p3_recorder_change(r, &changes, mail, another ? P3_UNPROVEN : P3_DOUBTED);
        else
            (void)p3_changes_add(&changes, p3_maildrop_row(d, mail));
    }
    p3_recorder_add_changes(r, changes, "doubts-recorded");
}

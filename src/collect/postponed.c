/* Messages at whose deletion a session broke. */
#include "collect/postponed.h"

void p3_postponed_add(p3_postponed *p, int64_t key, pop3_status status, bool answered, bool again)
{
    unsigned i = 0;
    p->answered = p->answered || answered;
    while (i < p->count && p->at[i].key != key)
        i++;
    if (i < P3_POSTPONED_MOST)
        p->at[i] = (p3_postponement){.key = key, .status = status, .kept = again || i < p->count};
    p->count += i == p->count && i < P3_POSTPONED_MOST;
    p->silent += status == POP3_ERR_TIMEOUT;
    p->all = p->all || i == P3_POSTPONED_MOST || p->silent >= P3_POSTPONED_SILENT ||
             (p->count >= P3_POSTPONED_IN_VAIN && !p->answered);
}

const p3_postponement *p3_postponed_find(const p3_postponed *p, int64_t key)
{
    unsigned i = 0;
    while (i < p->count && p->at[i].key != key)
        i++;
    return i < p->count ? &p->at[i] : NULL;
}

const char *p3_postponed_why(const p3_postponement *p)
{
    switch (p->status) {
    case POP3_ERR_TIMEOUT:
        return "the server does not answer the deletion of this message; the message stays there; "
               "if the server is only slow, raise --timeout; --keep leaves mail on the server";
    case POP3_ERR_CLOSED:
        return "the server closes the connection when this message is to be deleted; the message "
               "stays there; --keep leaves mail on the server";
    default:
        return "the server's reply to the deletion of this message is invalid; the message stays "
               "there; --keep leaves mail on the server";
    }
}

/* Whether replies are those to the commands sent. POP3 matches them by order alone: a server that
 * stops stuffing dots, or answers once too often or too seldom, makes one message pass for another,
 * or a part of one for the whole.
 *
 * That a message ended where it seemed to is the engine's to prove (pop3_engine_next()): a message
 * is handed in once that is so. That it was the message asked for is believed for as long as the
 * session goes on in step. DELE means nothing before QUIT, and QUIT is sent when everything has
 * been answered.
 *
 * So what one message alone does not prove is delivered in doubt, and stays so where the session
 * ends early, or we do: the next visit compares headers.
 *
 * A session that falls out of step ends. What has not been handed in is thrown away, and comes
 * again. What was delivered is in doubt: the next visit compares headers and sizes before it
 * believes that those messages are known. In the same run that visit works without pipelining,
 * where a reply too many, or too few, shows at the message it belongs to. */
#ifndef P3_COLLECT_REPLY_ORDER_H
#define P3_COLLECT_REPLY_ORDER_H

#include "collect/recorder.h"
#include "collect/window.h"

/* Looks at a message that has just come, with its header: whether it has as many octets as were
 * announced, which it sets. Returns whether it is odd: it begins with a status line, which may be
 * the reply to the next RETR. */
bool p3_reply_order_check(p3_mail *mail, const p3_header *header, const pop3_result *result);

/* Whether a message that has come is the one that was asked for, whatever becomes of the session:
 * it and all before it have the sizes that are listed, and the one before it has another than it.
 * What is delivered without that is recorded as in doubt until the session has got past the last
 * message. */
bool p3_reply_order_proves(const p3_maildrop *d, const p3_mail *mail);

/* Records that what was delivered of a window of RETRs is in doubt, and what came as it had been
 * delivered in doubt still is. `behind`: what showed it came behind the last message, and not
 * within one. `steps`: each was asked for when the one before had been proven, so that the last is
 * to blame alone. */
void p3_reply_order_doubt(p3_recorder *r, const p3_window *retrieved, bool behind, bool steps);

#endif

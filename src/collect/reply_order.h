/* Detects replies that do not match the commands sent. POP3 matches them by order alone: if a
 * server stops stuffing dots, or answers too often or not often enough, one message can be taken
 * for another, or a part of one for the whole.
 *
 * The engine proves that a message ended where it seemed to (pop3_engine_next()), and a message is
 * handed in after that. It counts as the requested message as long as the session stays in step.
 * DELE has no effect before QUIT, and QUIT is sent when everything has been answered.
 *
 * A message that does not prove itself is delivered in doubt, and stays in doubt if the session
 * ends early: the next visit compares headers.
 *
 * A session that falls out of step ends. Messages that have not been handed in are discarded and
 * retrieved again. Those that were delivered are in doubt: the next visit compares headers and
 * sizes before it counts them as known. It sends one command at a time in the same run, so that an
 * extra or missing reply shows at its message. */
#ifndef P3_COLLECT_REPLY_ORDER_H
#define P3_COLLECT_REPLY_ORDER_H

#include "collect/recorder.h"
#include "collect/window.h"

/* Checks a received message and its header: sets how its size compares with what was announced.
 * Returns whether it is odd: it begins with a status line, which may be the reply to the next RETR.
 */
bool p3_reply_order_check(p3_mail *mail, const p3_header *header, const pop3_result *result);

/* Whether a received message is certainly the requested one, whatever happens to the session later:
 * it and all before it have the listed sizes, and the one before it has another size. Other
 * deliveries are recorded as in doubt until the session has passed the last message. */
bool p3_reply_order_proves(const p3_maildrop *d, const p3_mail *mail);

/* Records that messages of a window of RETRs that were delivered are in doubt. `behind`: the
 * mismatch showed after the last message, not within one. `steps`: each message was requested when
 * the one before was proven, so that only the last is in doubt. */
void p3_reply_order_doubt(p3_recorder *r, const p3_window *retrieved, bool behind, bool steps);

#endif

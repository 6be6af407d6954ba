/* Gmail's labels by IMAP, for servers with X-GM-EXT-1: a message gets them after it has been
 * appended. */
#ifndef P3_DELIVER_IMAP_LABELS_H
#define P3_DELIVER_IMAP_LABELS_H

#include "deliver/imap_session.h"

/* Sets the labels of the session on messages of the folder. No message may be in flight. It ends by
 * a time of p3_clock_ms(). P3_IMAP_APPENDED: all have them; otherwise, with the problem,
 * P3_IMAP_LATER or P3_IMAP_LOST, and some may have them. */
p3_imap_outcome p3_imap_label(p3_imap_session *s, const p3_imap_place *at, size_t count,
                              int64_t until, p3_problem *why);

#endif

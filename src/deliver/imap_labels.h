/* Gmail's labels by IMAP, where a server has them (X-GM-EXT-1): a message gets them once it is in
 * the folder. */
#ifndef P3_DELIVER_IMAP_LABELS_H
#define P3_DELIVER_IMAP_LABELS_H

#include "deliver/imap_session.h"

/* Gives messages of the folder the labels of the session; what has them already keeps them. Nothing
 * must be on its way. It ends by a time of p3_clock_ms(). P3_IMAP_APPENDED: all have them; else,
 * with the problem, P3_IMAP_LATER or P3_IMAP_LOST, and some may have them. */
p3_imap_outcome p3_imap_label(p3_imap_session *s, const p3_imap_place *at, size_t count,
                              int64_t until, p3_problem *why);

#endif

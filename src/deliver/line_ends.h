/* Line ends of messages: CRLF in the protocol, LF in files. */
#ifndef P3_DELIVER_LINE_ENDS_H
#define P3_DELIVER_LINE_ENDS_H

#include <stddef.h>

/* Copies `len` octets without the CRs before an LF, and returns the new length. A CR at the end is
 * copied. `to` has room for `len` octets; the two do not overlap. */
size_t p3_copy_with_lf(char *restrict to, const char *restrict from, size_t len);

/* The same without vector instructions, for tests. */
size_t p3_copy_with_lf_plain(char *restrict to, const char *restrict from, size_t len);

#endif

/* Line ends of messages: CRLF on the line, LF in files. */
#ifndef P3_DELIVER_LINE_ENDS_H
#define P3_DELIVER_LINE_ENDS_H

#include <stddef.h>

/* Copies `len` octets without the CRs that an LF follows, and returns how many have become of them.
 * A CR that comes last is copied. There is room for `len` octets; the two do not overlap. */
size_t p3_copy_with_lf(char *restrict to, const char *restrict from, size_t len);

/* The same in the way of every machine, for tests. */
size_t p3_copy_with_lf_plain(char *restrict to, const char *restrict from, size_t len);

#endif

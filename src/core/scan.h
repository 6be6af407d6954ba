/* A fast search for the only pair of octets that matters inside a message: LF followed by a dot,
 * which is a stuffed line or the end. All versions give the same result. */
#ifndef P3_CORE_SCAN_H
#define P3_CORE_SCAN_H

#include <stddef.h>

/* The first LF in [p, end) whose next octet, also before end, is a dot; NULL when there is none. */
const char *p3_find_lf_dot(const char *p, const char *end);

/* A version of that search, for tests and measurements. */
typedef const char *p3_find_fn(const char *p, const char *end);

/* One version with its name. */
typedef struct p3_find_version {
    const char *name;
    p3_find_fn *find;
} p3_find_version;

/* The versions that this processor can run, the plain loop first; returns their number. */
size_t p3_find_versions(p3_find_version *out, size_t cap);

#endif

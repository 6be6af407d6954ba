/* A deadline for libcurl's TLS operations. libcurl checks its own time limits between calls of
 * OpenSSL, and a server that sends only messages that OpenSSL skips (renegotiation requests,
 * tickets) blocks it in one call for ever. The request to end the process is a deadline as well. */
#ifndef P3_WEB_DEADLINE_H
#define P3_WEB_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "optional/curl.h"

typedef struct p3_deadline {
    int64_t until; /* of p3_clock_ms(): nothing is received after it */
    bool heard;    /* something was received by TLS, if it is OpenSSL's */
} p3_deadline;

/* Applies a deadline to the connections of a handle; it must exist as long as they do, and may be
 * changed. If libcurl uses another TLS library than OpenSSL, the deadline is only checked between
 * its calls of that library. */
void p3_deadline_heed(CURL *c, p3_deadline *d);

/* Frees a handle, with a moment for pending operations. */
void p3_deadline_cleanup(CURL *c, p3_deadline *d);

#endif

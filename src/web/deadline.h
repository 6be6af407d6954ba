/* An end to what libcurl does in TLS. It looks at its own time limits between calls of OpenSSL's,
 * and a server that sends nothing but messages that OpenSSL passes over (requests to begin anew,
 * tickets) holds it in one call for ever. The end of the process is a deadline as well. */
#ifndef P3_WEB_DEADLINE_H
#define P3_WEB_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "optional/curl.h"

typedef struct p3_deadline {
    int64_t until; /* of p3_clock_ms(): from then on nothing more is received */
    bool heard;    /* something has come by TLS, where it is OpenSSL's */
} p3_deadline;

/* Has the connections that a handle makes heed a deadline, which must live as long as they do; it
 * may be put off. Where libcurl has its TLS from another library than OpenSSL, they are
 * looked at between its calls of that library alone. */
void p3_deadline_heed(CURL *c, p3_deadline *d);

/* Ends a handle: what it may wait for has a moment. */
void p3_deadline_cleanup(CURL *c, p3_deadline *d);

#endif

/* A TLS context has several owners: the caller, and each client and session. pop3_tls_free() counts
 * it down. */
#ifndef P3_IO_TLS_OWNER_H
#define P3_IO_TLS_OWNER_H

#include <pop3/tls.h>

/* Counts a context up: another owner. */
void p3_tls_retain(pop3_tls *tls);

#endif

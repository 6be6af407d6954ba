/* A TLS context is shared by the caller and by clients and sessions. pop3_tls_free() decrements its
 * count. */
#ifndef P3_IO_TLS_OWNER_H
#define P3_IO_TLS_OWNER_H

#include <pop3/tls.h>

/* Increments the count of a context. */
void p3_tls_retain(pop3_tls *tls);

#endif

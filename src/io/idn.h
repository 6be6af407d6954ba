/* Internationalized host names: the form for resolvers, TLS and proxies. */
#ifndef P3_IO_IDN_H
#define P3_IO_IDN_H

#include <pop3/types.h>

/* Copies a host name or address, with A-labels (RFC 5891) instead of non-ASCII labels; free() it.
 * POP3_OK; POP3_ERR_ARGUMENT if it is empty, too long or not a possible name, or not ASCII in a
 * build without IDN; POP3_ERR_MEMORY. */
pop3_status p3_idn_to_ascii(const char *host, char **out);

#endif

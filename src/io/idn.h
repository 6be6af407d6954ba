/* Internationalized host names: the form that resolvers, TLS and proxies take. */
#ifndef P3_IO_IDN_H
#define P3_IO_IDN_H

#include <pop3/types.h>

/* Makes a copy of a host name or address, with A-labels (RFC 5891) in place of what is not ASCII;
 * free() it. POP3_OK; POP3_ERR_ARGUMENT for what is empty, too long or cannot be a name, or is
 * beyond ASCII in a build without IDN; POP3_ERR_MEMORY. */
pop3_status p3_idn_to_ascii(const char *host, char **out);

#endif

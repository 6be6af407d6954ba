/* Files of certificates and keys, which OpenSSL and libcurl read. */
#ifndef P3_CLI_CERTIFICATE_FILES_H
#define P3_CLI_CERTIFICATE_FILES_H

#include "settings/settings.h"
#include "support/problem.h"

/* Whether OpenSSL and libcurl can read the files that an account names: they would wait for ever at
 * a FIFO, and read a device without end. They report missing files themselves. */
bool p3_certificate_files_check(const p3_settings *s, p3_problem *why);

#endif

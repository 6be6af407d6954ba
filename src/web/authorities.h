/* Whom libcurl trusts. */
#ifndef P3_WEB_AUTHORITIES_H
#define P3_WEB_AUTHORITIES_H

#include "optional/curl.h"

/* Has it trust the authorities in a file instead of the system's; NULL leaves those. The file is
 * read here, by what open_file() gives, as the process may have no right to open it. libcurl says
 * what is wrong with it when it connects. */
void p3_authorities_set(CURL *c, const char *ca_file, int (*open_file)(const char *path));

#endif

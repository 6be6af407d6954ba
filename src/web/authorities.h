/* The certificate authorities that libcurl trusts. */
#ifndef P3_WEB_AUTHORITIES_H
#define P3_WEB_AUTHORITIES_H

#include "optional/curl.h"
#include "support/problem.h"

/* Makes it trust the authorities in a file instead of the system's; NULL keeps those, or uses the
 * ones that SSL_CERT_FILE and SSL_CERT_DIR name. The file is opened by open_file(), because the
 * process may have no access to it. libcurl reports what is wrong with it when it connects. */
void p3_authorities_set(CURL *c, const char *ca_file, int (*open_file)(const char *path));

/* Describes a certificate that was not accepted, with advice that fits the cause. `doing` begins
 * the problem, `what` is libcurl's text, and `setting` is the prefix of the setting ca-file. */
void p3_authorities_explain(CURL *c, const char *doing, const char *what, const char *setting,
                            p3_problem *why);

#endif

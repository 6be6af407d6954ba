/* Checks the files of certificates before libraries read them. */
#include "cli/certificate_files.h"

#include <sys/stat.h>
#include <sysexits.h>

/* Octets of the largest file: revocation lists have some millions. */
#define P3_CERTIFICATES_MOST ((off_t)64 << 20)

bool p3_certificate_files_check(const p3_settings *s, p3_problem *why)
{
    const char *const files[][2] = {
        {"ca-file", s->ca_file},           {"crl-file", s->crl_file},
        {"certificate", s->certificate},   {"key", s->key},
        {"imap-ca-file", s->imap_ca_file}, {"smtp-ca-file", s->smtp_ca_file},
        {"lmtp-ca-file", s->lmtp_ca_file}, {"issuer-ca-file", s->issuer_ca_file},
    };
    struct stat st;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        const char *path = files[i][1];
        if (path == NULL || stat(path, &st) != 0)
            continue;
        if (!S_ISREG(st.st_mode) || st.st_size > P3_CERTIFICATES_MOST)
            return p3_problem_set(
                why, EX_CONFIG,
                "%s: %.300s is not a file of at most %d MiB: name a file in PEM format",
                files[i][0], path, (int)(P3_CERTIFICATES_MOST >> 20));
    }
    return true;
}

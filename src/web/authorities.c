/* The certificate authorities that libcurl trusts. */
#include "web/authorities.h"

#include <openssl/x509_vfy.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "support/input.h"

/* Larger files are refused when settings are read. */
#define P3_AUTHORITIES_MOST ((size_t)64 << 20)

/* Makes it trust the authorities in an open file. False when they cannot be read. */
static bool trust_file(CURL *c, int fd)
{
    p3_input in = {0};
    bool ok = fd >= 0 && p3_input_read(fd, P3_AUTHORITIES_MOST, false, &in);
    struct curl_blob blob = {in.text, in.len, CURL_BLOB_COPY};
    ok = ok && p3_curl_load()->easy_setopt(c, CURLOPT_CAINFO_BLOB, &blob) == CURLE_OK;
    p3_input_free(&in);
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

/* The variables that OpenSSL heeds for the POP3 server, in the same way: each replaces one of the
 * system's two places, and a file that cannot be read is ignored. */
static void trust_environment(CURL *c)
{
    const char *file = getenv("SSL_CERT_FILE");
    const char *directories = getenv("SSL_CERT_DIR");
    if (file != NULL && file[0] != '\0')
        (void)trust_file(c, p3_input_open(file));
    if (directories != NULL && directories[0] != '\0')
        p3_curl_load()->easy_setopt(c, CURLOPT_CAPATH, directories);
}

void p3_authorities_set(CURL *c, const char *ca_file, int (*open_file)(const char *path))
{
    const p3_curl *curl = p3_curl_load();
    if (ca_file == NULL) {
        trust_environment(c);
        return;
    }
    if (!trust_file(c, open_file(ca_file)))
        curl->easy_setopt(c, CURLOPT_CAINFO, ca_file);
    curl->easy_setopt(c, CURLOPT_CAPATH, NULL);
}

/* Verdicts on the chain are OpenSSL's. Without one, libcurl, which uses 1, has found that the
 * certificate is for another name. */
void p3_authorities_explain(CURL *c, const char *doing, const char *what, const char *setting,
                            p3_problem *why)
{
    long chain = X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT;
    p3_curl_load()->easy_getinfo(c, CURLINFO_SSL_VERIFYRESULT, &chain);
    if (chain <= X509_V_ERR_UNSPECIFIED)
        p3_problem_set(why, EX_UNAVAILABLE, "%s: %s; name the server as its certificate does",
                       doing, what);
    else if (chain == X509_V_ERR_CERT_NOT_YET_VALID || chain == X509_V_ERR_CERT_HAS_EXPIRED)
        p3_problem_set(why, EX_UNAVAILABLE,
                       "%s: %s; check this machine's clock, or tell the server's administrator",
                       doing, what);
    else
        p3_problem_set(why, EX_UNAVAILABLE,
                       "%s: %s; if the server is the right one, name its authority with %sca-file",
                       doing, what, setting);
}

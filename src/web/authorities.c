/* The certificate authorities that libcurl trusts. */
#include "web/authorities.h"

#include <stdbool.h>
#include <unistd.h>

#include "support/input.h"

/* Larger files are refused when settings are read. */
#define P3_AUTHORITIES_MOST ((size_t)64 << 20)

void p3_authorities_set(CURL *c, const char *ca_file, int (*open_file)(const char *path))
{
    const p3_curl *curl = p3_curl_load();
    p3_input in = {0};
    if (ca_file == NULL)
        return;
    int fd = open_file(ca_file);
    bool is_read = fd >= 0 && p3_input_read(fd, P3_AUTHORITIES_MOST, false, &in);
    struct curl_blob blob = {in.text, in.len, CURL_BLOB_COPY};
    if (!is_read || curl->easy_setopt(c, CURLOPT_CAINFO_BLOB, &blob) != CURLE_OK)
        curl->easy_setopt(c, CURLOPT_CAINFO, ca_file);
    curl->easy_setopt(c, CURLOPT_CAPATH, NULL);
    p3_input_free(&in);
    if (fd >= 0)
        (void)close(fd);
}

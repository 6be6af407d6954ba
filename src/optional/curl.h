/* libcurl, loaded when it is first needed: HTTPS for tokens and Gmail, TLS for IMAP. */
#ifndef P3_OPTIONAL_CURL_H
#define P3_OPTIONAL_CURL_H

#include <curl/curl.h>
#include <stdbool.h>

/* The functions that are used, without the prefix curl_. */
typedef struct p3_curl {
    CURL *(*easy_init)(void);
    CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
    CURLcode (*easy_perform)(CURL *);
    CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
    __typeof__(curl_easy_send) *easy_send;
    __typeof__(curl_easy_recv) *easy_recv;
    void (*easy_reset)(CURL *);
    void (*easy_cleanup)(CURL *);
    const char *(*easy_strerror)(CURLcode);
    __typeof__(curl_slist_append) *slist_append;
    __typeof__(curl_slist_free_all) *slist_free_all;
    __typeof__(curl_version_info) *version_info;
} p3_curl;

/* The functions of the library, which has been initialized; NULL when it cannot be loaded.
 * Thread-safe. */
const p3_curl *p3_curl_load(void);

/* Whether it uses the same OpenSSL as we do, so that OpenSSL's functions can be called on its
 * objects. Only after p3_curl_load(). */
bool p3_curl_has_openssl(void);

#endif

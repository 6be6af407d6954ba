/* libcurl, loaded when it is first needed. */
#include "optional/curl.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "optional/library.h"

static p3_curl curl;
static __typeof__(curl_global_init) *global_init;

static const p3_symbol symbols[] = {{"curl_global_init", &global_init},
                                    {"curl_easy_init", &curl.easy_init},
                                    {"curl_easy_setopt", &curl.easy_setopt},
                                    {"curl_easy_perform", &curl.easy_perform},
                                    {"curl_easy_getinfo", &curl.easy_getinfo},
                                    {"curl_easy_send", &curl.easy_send},
                                    {"curl_easy_recv", &curl.easy_recv},
                                    {"curl_easy_cleanup", &curl.easy_cleanup},
                                    {"curl_easy_strerror", &curl.easy_strerror},
                                    {"curl_slist_append", &curl.slist_append},
                                    {"curl_slist_free_all", &curl.slist_free_all},
                                    {"curl_easy_reset", &curl.easy_reset},
                                    {"curl_version_info", &curl.version_info}};
static p3_library library = P3_LIBRARY(P3_CURL_SONAME, symbols);
P3_LIBRARY_NOTE(curl_note, "oauth", P3_CURL_SONAME, "OAuth 2.0 tokens, Gmail and IMAP");

static bool is_ready;

static void initialize(void)
{
    is_ready = p3_library_load(&library) && global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

const p3_curl *p3_curl_load(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, initialize);
    return is_ready ? &curl : NULL;
}

bool p3_curl_has_openssl(void)
{
    char ours[40];
    const char *its = curl.version_info(CURLVERSION_NOW)->ssl_version;
    snprintf(ours, sizeof ours, "OpenSSL/%u.", OPENSSL_version_major());
    return its != NULL && strncmp(its, ours, strlen(ours)) == 0;
}

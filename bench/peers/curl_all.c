/* A peer: libcurl retrieves every message over one connection, which one handle uses again and
 * again.
 *
 *     peer-curl PORT MESSAGES [USER]
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

static size_t octets;

static size_t count(char *data, size_t size, size_t members, void *ctx)
{
    (void)data;
    (void)ctx;
    octets += size * members;
    return size * members;
}

int main(int argc, char **argv)
{
    if (argc != 3 && argc != 4)
        return EXIT_FAILURE;
    CURL *c = curl_easy_init();
    unsigned long messages = strtoul(argv[2], NULL, 10);
    CURLcode status = c != NULL ? CURLE_OK : CURLE_FAILED_INIT;
    if (c != NULL) {
        curl_easy_setopt(c, CURLOPT_USERNAME, argc == 4 ? argv[3] : "user");
        curl_easy_setopt(c, CURLOPT_PASSWORD, "pass");
        curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, count);
        /* CURLOPT_BUFFERSIZE stays at its default: larger ones were not faster, and with the most
         * there is, 512 KiB, libcurl 7.88 loses its way at the second of several large messages. */
    }
    for (unsigned long n = 1; n <= messages && status == CURLE_OK; n++) {
        char url[80];
        snprintf(url, sizeof url, "pop3://127.0.0.1:%s/%lu", argv[1], n);
        curl_easy_setopt(c, CURLOPT_URL, url);
        status = curl_easy_perform(c);
    }
    curl_easy_cleanup(c);
    if (status != CURLE_OK) {
        fprintf(stderr, "peer-curl: %s\n", curl_easy_strerror(status));
        return EXIT_FAILURE;
    }
    printf("%lu messages, %zu octets\n", messages, octets);
    return EXIT_SUCCESS;
}

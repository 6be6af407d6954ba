/* A peer: libcurl appends messages to a folder by IMAP, one after the other over one connection.
 *
 *     peer-curl-append PORT MESSAGES SIZE USER PASSWORD CA_FILE
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE "a line of text in a message of the benchmark, as long as such lines are\r\n"

static char *text;
static size_t text_len, sent;

static size_t give(char *to, size_t size, size_t members, void *ctx)
{
    size_t n = size * members < text_len - sent ? size * members : text_len - sent;
    (void)ctx;
    memcpy(to, text + sent, n);
    sent += n;
    return n;
}

static void render(size_t size, unsigned long number)
{
    FILE *f = open_memstream(&text, &text_len);
    if (f == NULL)
        exit(EXIT_FAILURE);
    fprintf(
        f, "From: <a@bench.example>\r\nSubject: message\r\nMessage-ID: <%lu@bench.example>\r\n\r\n",
        number);
    while ((size_t)ftell(f) + strlen(LINE) <= size)
        fputs(LINE, f);
    fclose(f);
    sent = 0;
}

int main(int argc, char **argv)
{
    char url[80];
    if (argc != 7)
        return EXIT_FAILURE;
    CURL *c = curl_easy_init();
    unsigned long messages = strtoul(argv[2], NULL, 10);
    CURLcode status = c != NULL ? CURLE_OK : CURLE_FAILED_INIT;
    snprintf(url, sizeof url, "imaps://localhost:%s/INBOX", argv[1]);
    if (c != NULL) {
        curl_easy_setopt(c, CURLOPT_URL, url);
        curl_easy_setopt(c, CURLOPT_USERNAME, argv[4]);
        curl_easy_setopt(c, CURLOPT_PASSWORD, argv[5]);
        curl_easy_setopt(c, CURLOPT_CAINFO, argv[6]);
        curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(c, CURLOPT_READFUNCTION, give);
    }
    for (unsigned long n = 1; n <= messages && status == CURLE_OK; n++) {
        render(strtoul(argv[3], NULL, 10), n);
        curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)text_len);
        status = curl_easy_perform(c);
        free(text);
    }
    curl_easy_cleanup(c);
    if (status != CURLE_OK) {
        fprintf(stderr, "peer-curl-append: %s\n", curl_easy_strerror(status));
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

/* A deadline for libcurl's TLS operations. */
#include "web/deadline.h"

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include "support/clock.h"
#include "support/stop_request.h"

/* Milliseconds for closing a connection. */
#define P3_FAREWELL_MS 1000

/* Called before and after each operation of a BIO: refuses those that begin. */
static long refuse_late(BIO *bio, int operation, const char *data, size_t len, int number,
                        long pointer, int result, size_t *done)
{
    (void)data;
    (void)len;
    (void)number;
    (void)pointer;
    (void)done;
    if (operation != BIO_CB_READ)
        return result;
    BIO_clear_retry_flags(bio);
    return -1;
}

/* Refuses further reads when the time is over. */
static void look_at_the_time(const p3_deadline *d, const SSL *ssl)
{
    if (p3_clock_ms() >= p3_stop_request_until(d->until))
        BIO_set_callback_ex(SSL_get_rbio(ssl), refuse_late);
}

/* Called for each record and each message. */
static void see_message(int is_sent, int version, int type, const void *data, size_t len, SSL *ssl,
                        void *deadline)
{
    p3_deadline *d = deadline;
    (void)version;
    (void)type;
    (void)data;
    (void)len;
    d->heard = d->heard || !is_sent;
    look_at_the_time(d, ssl);
}

/* Also called while a handshake waits: libcurl 8.22 retries about once a second, but calls none of
 * our other functions until the handshake has ended. */
static void see_state(const SSL *ssl, int where, int result)
{
    if (where == SSL_CB_CONNECT_EXIT && result <= 0)
        look_at_the_time(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)), ssl);
}

/* Called about once a second, but not while libcurl 8.22 connects: a value other than 0 ends it. */
static int is_over(void *deadline, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const p3_deadline *it = deadline;
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return p3_clock_ms() >= p3_stop_request_until(it->until);
}

static CURLcode prepare_handle(CURL *c, void *context, void *deadline)
{
    (void)c;
    SSL_CTX_set_msg_callback(context, see_message);
    SSL_CTX_set_msg_callback_arg(context, deadline);
    SSL_CTX_set_app_data(context, deadline);
    SSL_CTX_set_info_callback(context, see_state);
    return CURLE_OK;
}

void p3_deadline_heed(CURL *c, p3_deadline *d)
{
    const p3_curl *curl = p3_curl_load();
    d->heard = false;
    curl->easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    curl->easy_setopt(c, CURLOPT_XFERINFOFUNCTION, is_over);
    curl->easy_setopt(c, CURLOPT_XFERINFODATA, d);
    if (!p3_curl_has_openssl())
        return;
    curl->easy_setopt(c, CURLOPT_SSL_CTX_FUNCTION, prepare_handle);
    curl->easy_setopt(c, CURLOPT_SSL_CTX_DATA, d);
}

void p3_deadline_cleanup(CURL *c, p3_deadline *d)
{
    d->until = p3_clock_ms() + P3_FAREWELL_MS;
    p3_curl_load()->easy_cleanup(c);
}

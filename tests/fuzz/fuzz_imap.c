/* Fuzzing what an IMAP server says once we are logged in. The input is all of it; libcurl and the
 * network are stood in for. Messages are appended, several under way, and then looked for: none is
 * there whose name the server has not said, and none was appended without an OK of its own. */
#include "deliver/imap_find.h"
#include "deliver/imap_session.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "deliver/dial.h"
#include "optional/curl.h"
#include "support/clock.h"

#define MAILS 3

static const uint8_t *said; /* what the server says next */
static size_t left;

static void must(bool ok)
{
    if (!ok)
        abort();
}

/* ---- instead of libcurl and the network ---- */

static char handle;

static CURL *easy_init(void)
{
    return &handle;
}

static CURLcode easy_setopt(CURL *c, CURLoption option, ...)
{
    (void)c;
    (void)option;
    return CURLE_OK;
}

static CURLcode easy_perform(CURL *c)
{
    (void)c;
    return CURLE_OK;
}

static CURLcode easy_getinfo(CURL *c, CURLINFO info, ...)
{
    (void)c;
    (void)info;
    return CURLE_OK;
}

static CURLcode easy_send(CURL *c, const void *data, size_t len, size_t *n)
{
    (void)c;
    (void)data;
    *n = len;
    return CURLE_OK;
}

/* In pieces of changing size, and then the end. */
static CURLcode easy_recv(CURL *c, void *data, size_t size, size_t *n)
{
    size_t most = 1 + left % 61;
    (void)c;
    *n = left < most ? left : most;
    *n = *n < size ? *n : size;
    memcpy(data, said, *n);
    said += *n;
    left -= *n;
    return CURLE_OK;
}

static void easy_cleanup(CURL *c)
{
    (void)c;
}

static const char *easy_strerror(CURLcode code)
{
    (void)code;
    return "an error";
}

static struct curl_slist *slist_append(struct curl_slist *list, const char *text)
{
    (void)text;
    return list;
}

static void slist_free_all(struct curl_slist *list)
{
    (void)list;
}

const p3_curl *p3_curl_load(void)
{
    static const p3_curl curl = {.easy_init = easy_init,
                                 .easy_setopt = easy_setopt,
                                 .easy_perform = easy_perform,
                                 .easy_getinfo = easy_getinfo,
                                 .easy_send = easy_send,
                                 .easy_recv = easy_recv,
                                 .easy_cleanup = easy_cleanup,
                                 .easy_strerror = easy_strerror,
                                 .slist_append = slist_append,
                                 .slist_free_all = slist_free_all};
    return &curl;
}

int p3_dial(const p3_address *to, const char *protocol, p3_problem *why)
{
    (void)to;
    (void)protocol;
    (void)why;
    return open("/dev/null", O_RDWR | O_CLOEXEC);
}

bool p3_dial_wait(int fd, short events, int64_t until)
{
    (void)fd;
    (void)events;
    (void)until;
    return false;
}

/* ---- the target ---- */

static bool find_secret(void *ctx, p3_imap_secret *out, p3_problem *why)
{
    (void)ctx;
    (void)why;
    *out = (p3_imap_secret){.text = strdup("secret")};
    return out->text != NULL;
}

/* How often the server has said OK at the beginning of a response with a tag. */
static size_t count_ok(const uint8_t *data, size_t size)
{
    size_t count = 0;
    for (size_t i = 0; i + 4 <= size; i++)
        count += (data[i] == ' ') && (data[i + 1] | 32) == 'o' && (data[i + 2] | 32) == 'k';
    return count;
}

static size_t append(p3_imap_session *s, int fd, p3_problem *why)
{
    p3_spool_mail spooled = {.fd = fd, .length = 40};
    p3_imap_mail mail;
    size_t appended = 0;
    must(p3_imap_mail_examine(&mail, &spooled, P3_IMAP_RECEIVED));
    for (int i = 0; i < MAILS && p3_imap_is_usable(s); i++) {
        while (p3_imap_is_usable(s) && !p3_imap_may_send(s, &mail))
            appended += p3_imap_hear(s, why) == P3_IMAP_APPENDED;
        if (p3_imap_is_usable(s) && p3_imap_send(s, &mail, why) == P3_IMAP_NO_FOLDER &&
            p3_imap_under_way(s) == 0)
            (void)p3_imap_make_folder(s, why);
    }
    while (p3_imap_under_way(s) > 0)
        appended += p3_imap_hear(s, why) == P3_IMAP_APPENDED;
    return appended;
}

static void look(p3_imap_session *s, const uint8_t *data, size_t size, p3_problem *why)
{
    static const char owner[] = "32a6d9f499ac9eec";
    p3_left_over over[MAILS] = {{.name = "1795946042.Rc7d1a37b9baa7719O32a6d9f499ac9eecQ0.vm"},
                                {.name = "1795946042.Rc7d1a37b9baa7719O32a6d9f499ac9eecQ1.vm"},
                                {.name = "1795946042.Rc7d1a37b9baa7719O32a6d9f499ac9eecQ2.vm"}};
    (void)p3_imap_find(s, owner, over, MAILS, false, p3_clock_ms() + 10000, why);
    for (size_t i = 0; i < MAILS; i++)
        must(!over[i].there || memmem(data, size, over[i].name, strlen(over[i].name)) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    static const p3_imap_options options = {.flags = "\\Seen", .secret = find_secret};
    static p3_imap_address to;
    p3_problem why;
    if (fd < 0) {
        fd = memfd_create("mail", MFD_CLOEXEC);
        must(fd >= 0 && write(fd, "Date: 2 Nov 2026 03:04:05 GMT\n\ntext.....", 40) == 40);
        must(p3_imap_address_read(&to, "imaps://me@localhost/INBOX"));
    }
    said = data;
    left = size;
    p3_imap_session *s = p3_imap_connect(&to, &options, &why);
    if (s == NULL)
        return 0;
    must(append(s, fd, &why) <= count_ok(data, size));
    if (p3_imap_is_usable(s))
        look(s, data, size, &why);
    p3_imap_end(s);
    return 0;
}

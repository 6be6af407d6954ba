/* Fuzzing what an IMAP server says once we are logged in. The input is all of it. Messages are
 * appended, several under way, and then looked for: none is there whose name the server has not
 * said, and none was appended without an OK of its own. */
#include "deliver/imap_find.h"
#include "deliver/imap_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "deliver/wire.h"
#include "support/clock.h"

#define MAILS 3

static const uint8_t *said; /* what the server says next */
static size_t left;

static void must(bool ok)
{
    if (!ok)
        abort();
}

/* ---- instead of the network: wire.h ---- */

static char connection;

p3_wire *p3_wire_log_in(const p3_server_url *to, const p3_server_options *options,
                        const p3_wire_protocol *protocol, p3_problem *why)
{
    (void)to;
    (void)options;
    (void)protocol;
    (void)why;
    return (p3_wire *)&connection;
}

bool p3_wire_send(p3_wire *w, const char *data, size_t len, int64_t until)
{
    (void)w;
    (void)data;
    (void)len;
    (void)until;
    return true;
}

/* In pieces of changing size, and then the end. */
ssize_t p3_wire_receive(p3_wire *w, char *out, size_t room, int64_t until)
{
    size_t most = 1 + left % 61;
    size_t n = left < most ? left : most;
    (void)w;
    (void)until;
    n = n < room ? n : room;
    memcpy(out, said, n);
    said += n;
    left -= n;
    return (ssize_t)n;
}

void p3_wire_hide(const p3_wire *w, char *text)
{
    (void)w;
    (void)text;
}

void p3_wire_close(p3_wire *w)
{
    (void)w;
}

/* ---- the target ---- */

/* How often the server has said OK, as behind a tag; NUL is read as a blank. */
static size_t count_ok(const uint8_t *data, size_t size)
{
    size_t count = 0;
    for (size_t i = 0; i + 4 <= size; i++)
        count += (data[i] == ' ' || data[i] == '\0') && (data[i + 1] | 32) == 'o' &&
                 (data[i + 2] | 32) == 'k';
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
    static const p3_imap_options options = {.flags = "\\Seen"};
    static p3_imap_address to;
    p3_problem why;
    if (fd < 0) {
        FILE *file = tmpfile();
        must(file != NULL);
        fd = fileno(file);
        must(write(fd, "Date: 2 Nov 2026 03:04:05 GMT\n\ntext.....", 40) == 40);
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

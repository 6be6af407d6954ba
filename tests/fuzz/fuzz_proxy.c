/* Fuzzing the proxy protocols: the input is what a proxy answers. The exchange never asks for more
 * octets than fit, ends, and explains itself. */
#include "io/proxy.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void must(bool ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static pop3_status (*const protocols[])(p3_proxy *) = {p3_proxy_socks5, p3_proxy_socks4,
                                                           p3_proxy_http};
    if (size < 1)
        return 0;
    bool named = (data[0] & 4) != 0;
    p3_proxy *p = p3_proxy_new(protocols[data[0] % 3], "mail.example.org", 995,
                               named ? "joe" : NULL, named ? "secret" : NULL);
    must(p != NULL);
    data++;
    size--;
    pop3_status status = POP3_PENDING;
    while (status == POP3_PENDING) {
        must(p->need <= P3_PROXY_REPLY && p->need > p->in_len);
        size_t more = p->need - p->in_len;
        if (more > size)
            break;
        memcpy(p->in + p->in_len, data, more);
        p->in_len += more;
        data += more;
        size -= more;
        p->out.len = p->sent = 0; /* has been sent */
        status = p->next(p);
    }
    must(memchr(p->why, '\0', sizeof p->why) != NULL);
    must(status == POP3_OK || status == POP3_PENDING || p->why[0] != '\0');
    for (const char *c = p->why; *c != '\0'; c++)
        must(*c >= ' ' && *c < 0x7F);
    p3_proxy_free(p);
    return 0;
}

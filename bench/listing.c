/* What a program needs that wants to know the number, size and unique-id of every message: UIDL and
 * LIST, kept in memory.
 *
 *     bench-listing PORT
 *
 * Prints how many messages there are, and the time it took to learn about them.
 */
#include "common.h"

#include <pop3/pop3.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* So that nothing that was asked for can be left out. */
typedef struct sums {
    uint64_t messages, octets, uid_octets;
} sums;

static pop3_status list(pop3_client *c, sums *s)
{
    pop3_listing *uids = NULL;
    pop3_listing *sizes = NULL;
    pop3_status status = pop3_client_uidl_all(c, &uids);
    if (status == POP3_OK)
        status = pop3_client_list_all(c, &sizes);
    for (size_t i = 0; status == POP3_OK && i < uids->count; i++)
        s->uid_octets += uids->entries[i].uid.len;
    for (size_t i = 0; status == POP3_OK && i < sizes->count; i++)
        s->octets += sizes->entries[i].octets;
    s->messages = status == POP3_OK ? uids->count : 0;
    pop3_listing_free(uids);
    pop3_listing_free(sizes);
    return status;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        die_plain("PORT");
    pop3_client_options o = POP3_CLIENT_OPTIONS_INIT;
    o.host = "127.0.0.1";
    o.port = (uint16_t)number_or_die(argv[1], UINT16_MAX);
    o.security = POP3_SECURITY_PLAIN;
    o.allow_plaintext_password = true;
    pop3_client *c;
    if (pop3_client_new(&c, &o) != POP3_OK)
        die_plain("no client");
    pop3_status status = pop3_client_connect(c);
    if (status == POP3_OK)
        status = pop3_client_user(c, "user");
    if (status == POP3_OK)
        status = pop3_client_pass(c, "pass");
    sums s = {0};
    double begin = now_seconds();
    if (status == POP3_OK)
        status = list(c, &s);
    double end = now_seconds();
    if (status == POP3_OK)
        status = pop3_client_quit(c);
    if (status != POP3_OK)
        die_plain(pop3_client_error(c)->message);
    printf("%" PRIu64 " messages, %" PRIu64 " octets, %" PRIu64 " octets of unique-ids, %.4f s\n",
           s.messages, s.octets, s.uid_octets, end - begin);
    pop3_client_free(c);
    return EXIT_SUCCESS;
}

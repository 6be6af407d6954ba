/* A peer: libEtPan retrieves every message into memory, as its interface has it, and drops it; or
 * lists numbers, sizes and unique-ids.
 *
 *     peer-etpan [--listing] PORT
 */
#include <libetpan/libetpan.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int give_up(const char *what)
{
    fprintf(stderr, "peer-etpan: %s failed\n", what);
    return EXIT_FAILURE;
}

static int retrieve_all(mailpop3 *p)
{
    struct mailpop3_stat_response *drop;
    size_t octets = 0;
    if (mailpop3_stat(p, &drop) != MAILPOP3_NO_ERROR)
        return give_up("STAT");
    unsigned count = drop->msgs_count;
    mailpop3_stat_resp_free(drop);
    for (unsigned n = 1; n <= count; n++) {
        char *message;
        size_t len;
        if (mailpop3_retr(p, n, &message, &len) != MAILPOP3_NO_ERROR)
            return give_up("RETR");
        octets += len;
        mailpop3_retr_free(message);
    }
    printf("%u messages, %zu octets\n", count, octets);
    return EXIT_SUCCESS;
}

/* mailpop3_list() asks for LIST and UIDL both. */
static int list_all(mailpop3 *p)
{
    carray *entries;
    size_t octets = 0;
    size_t uid_octets = 0;
    if (mailpop3_list(p, &entries) != MAILPOP3_NO_ERROR)
        return give_up("LIST");
    for (unsigned i = 0; i < carray_count(entries); i++) {
        const struct mailpop3_msg_info *m = carray_get(entries, i);
        octets += m->msg_size;
        uid_octets += m->msg_uidl != NULL ? strlen(m->msg_uidl) : 0;
    }
    printf("%u messages, %zu octets, %zu octets of unique-ids\n", carray_count(entries), octets,
           uid_octets);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    int listing = argc == 3 && strcmp(argv[1], "--listing") == 0;
    if (argc != 2 && !listing)
        return give_up("the command line");
    mailpop3 *p = mailpop3_new(0, NULL);
    unsigned short port = (unsigned short)strtoul(argv[argc - 1], NULL, 10);
    if (p == NULL || mailpop3_socket_connect(p, "127.0.0.1", port) != MAILPOP3_NO_ERROR)
        return give_up("connecting");
    if (mailpop3_user(p, "user") != MAILPOP3_NO_ERROR ||
        mailpop3_pass(p, "pass") != MAILPOP3_NO_ERROR)
        return give_up("logging in");
    int status = listing ? list_all(p) : retrieve_all(p);
    mailpop3_quit(p);
    mailpop3_free(p);
    return status;
}

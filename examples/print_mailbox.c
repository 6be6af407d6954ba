/* Prints every message of a mailbox, as the example at the end of poplib's documentation does.
 *
 *     print_mailbox [--tls | --stls] [--ca-file FILE] [--cert FILE] [--key FILE]
 *         [--auth METHOD] [--channel-binding TYPE] [--token-file FILE] HOST PORT USER */
#include "account.h"

#include <stdio.h>
#include <stdlib.h>

static pop3_sink_result to_stdout(void *ctx, const char *data, size_t len)
{
    (void)ctx;
    return fwrite(data, 1, len, stdout) == len ? POP3_SINK_CONTINUE : POP3_SINK_ABORT;
}

static bool print_mailbox(pop3_client *c)
{
    pop3_stat drop;
    if (pop3_client_stat(c, &drop) != POP3_OK)
        return account_complain(c);
    for (uint32_t n = 1; n <= drop.count; n++) {
        if (pop3_client_retr(c, n, to_stdout, NULL) != POP3_OK)
            return account_complain(c);
    }
    if (pop3_client_quit(c) != POP3_OK)
        return account_complain(c);
    return true;
}

int main(int argc, char **argv)
{
    account a;
    pop3_client *c = account_read(&a, argc, argv) ? account_open(&a) : NULL;
    account_forget(&a);
    bool ok = c != NULL && print_mailbox(c);
    pop3_client_free(c);
    if (fflush(stdout) != 0) {
        perror("standard output");
        ok = false;
    }
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Prints every message of a mailbox, as the example at the end of poplib's documentation does.
 *
 *     print_mailbox [--tls | --stls] [--ca-file FILE] [--cert FILE] [--key FILE]
 *         [--auth MECHANISM] [--channel-binding TYPE] [--token-file FILE] [--timeout SECONDS]
 *         [--traits FILE] HOST PORT USER */
#include "account.h"

#include <stdio.h>
#include <stdlib.h>

static pop3_sink_result to_stdout(void *ctx, const char *data, size_t len)
{
    (void)ctx;
    return fwrite(data, 1, len, stdout) == len ? POP3_SINK_CONTINUE : POP3_SINK_ABORT;
}

/* Uses the listing, because the count in STAT can be any number. */
static bool print_mailbox(pop3_client *c)
{
    pop3_listing *listing;
    if (pop3_client_list_all(c, &listing) != POP3_OK)
        return account_complain(c);
    bool ok = true;
    for (size_t i = 0; ok && i < listing->count; i++) {
        ok = pop3_client_retr(c, listing->entries[i].number, to_stdout, NULL) == POP3_OK ||
             account_complain(c);
    }
    pop3_listing_free(listing);
    return ok && (pop3_client_quit(c) == POP3_OK || account_complain(c));
}

int main(int argc, char **argv)
{
    account a;
    pop3_client *c = account_read(&a, argc, argv) ? account_open(&a) : NULL;
    account_forget(&a);
    bool ok = c != NULL && print_mailbox(c);
    if (c != NULL)
        account_remember(&a, c);
    pop3_client_free(c);
    if (fflush(stdout) != 0) {
        perror("standard output");
        ok = false;
    }
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

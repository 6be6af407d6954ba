/* A session from greeting to QUIT: welcome, login, LIST, STAT, and each message numbered and
 * indented, as the longer example at the end of poplib.py does.
 *
 *     session_tour [--tls | --stls] [--ca-file FILE] [--cert FILE] [--key FILE]
 *         [--auth MECHANISM] [--token-file FILE] [--timeout SECONDS] HOST PORT USER */
#include "account.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Indents each line; *ctx says whether a line has begun, because chunks may end anywhere. */
static pop3_sink_result print_indented(void *ctx, const char *data, size_t len)
{
    bool *inside = ctx;
    for (size_t i = 0; i < len; i++) {
        if (data[i] == '\r')
            continue;
        if (!*inside)
            fputs("   ", stdout);
        putchar(data[i]);
        *inside = data[i] != '\n';
    }
    return ferror(stdout) ? POP3_SINK_ABORT : POP3_SINK_CONTINUE;
}

/* Prints the server's text without control characters. */
static void print_text(pop3_str text)
{
    for (size_t i = 0; i < text.len; i++)
        putchar(text.data[i] >= ' ' && text.data[i] < 0x7f ? text.data[i] : '?');
    putchar('\n');
}

static bool print_message(pop3_client *c, uint32_t number)
{
    bool inside = false;
    printf("Message %" PRIu32 ":\n", number);
    if (pop3_client_retr(c, number, print_indented, &inside) != POP3_OK)
        return account_complain(c);
    puts("-----------------------");
    return true;
}

static void print_size(const pop3_entry *entry)
{
    if (entry->octets == POP3_OCTETS_UNKNOWN)
        printf("%10" PRIu32 "            ?\n", entry->number);
    else
        printf("%10" PRIu32 " %12" PRIu64 "\n", entry->number, entry->octets);
}

static bool tour(pop3_client *c)
{
    pop3_listing *listing;
    pop3_stat drop;
    print_text(pop3_client_greeting(c));
    puts("   Message       Octets");
    if (pop3_client_list_all(c, &listing) != POP3_OK)
        return account_complain(c);
    for (size_t i = 0; i < listing->count; i++)
        print_size(&listing->entries[i]);
    bool ok = pop3_client_stat(c, &drop) == POP3_OK || account_complain(c);
    if (ok && drop.octets == POP3_OCTETS_UNKNOWN)
        printf("%" PRIu64 " messages\n", drop.count);
    else if (ok)
        printf("%" PRIu64 " messages, %" PRIu64 " octets\n", drop.count, drop.octets);
    for (size_t i = 0; ok && i < listing->count; i++)
        ok = print_message(c, listing->entries[i].number);
    pop3_listing_free(listing);
    return ok && (pop3_client_quit(c) == POP3_OK || account_complain(c));
}

int main(int argc, char **argv)
{
    account a;
    pop3_client *c = account_read(&a, argc, argv) ? account_open(&a) : NULL;
    account_forget(&a);
    bool ok = c != NULL && tour(c);
    pop3_client_free(c);
    if (fflush(stdout) != 0) {
        perror("standard output");
        ok = false;
    }
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

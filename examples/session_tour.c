/* A session from greeting to QUIT: welcome, login, LIST, STAT, and each message numbered and
 * indented, as the longer example at the end of poplib.py does.
 *
 *     session_tour [--tls | --stls] [--ca-file FILE] [--cert FILE] [--key FILE]
 *         [--auth METHOD] [--token-file FILE] HOST PORT USER */
#include "account.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static bool print_size(void *ctx, const pop3_entry *entry, pop3_str line)
{
    (void)ctx;
    (void)line;
    printf("%10" PRIu32 " %12" PRIu64 "\n", entry->number, entry->octets);
    return true;
}

/* Indents each line; remembers in *ctx whether a line has begun, as chunks may end anywhere. */
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

static bool tour(pop3_client *c)
{
    pop3_str welcome = pop3_client_greeting(c);
    printf("%.*s\n", (int)welcome.len, welcome.data);
    puts("   Message       Octets");
    if (pop3_client_list(c, print_size, NULL) != POP3_OK)
        return account_complain(c);
    pop3_stat drop;
    if (pop3_client_stat(c, &drop) != POP3_OK)
        return account_complain(c);
    printf("%" PRIu64 " messages, %" PRIu64 " octets\n", drop.count, drop.octets);
    for (uint32_t n = 1; n <= drop.count; n++) {
        bool inside = false;
        printf("Message %" PRIu32 ":\n", n);
        if (pop3_client_retr(c, n, print_indented, &inside) != POP3_OK)
            return account_complain(c);
        puts("-----------------------");
    }
    return pop3_client_quit(c) == POP3_OK || account_complain(c);
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

/* What `pop3 help` says. */
#include "cli/help.h"

#include <string.h>
#include <sysexits.h>

static const char general[] =
    "pop3: reads mail from POP3 servers, and keeps a Maildir in step with them.\n"
    "\n"
    "    pop3 sync [URL | ACCOUNT...]     bring new mail, each message exactly once\n"
    "    pop3 stat URL                    how many messages, how large\n"
    "    pop3 list URL [N...]             a table: number, size, date, from, subject\n"
    "    pop3 headers URL [N...]          the same; every field with --verbose\n"
    "    pop3 uidl URL [N...]             unique-ids\n"
    "    pop3 cat URL N...                messages as they are\n"
    "    pop3 top URL N... [--lines K]    headers and first lines\n"
    "    pop3 rm URL N...                 delete messages\n"
    "    pop3 capa URL                    what the server announces\n"
    "    pop3 doctor URL                  what a server offers, what is wrong, what to configure\n"
    "    pop3 shell URL                   a session by hand\n"
    "    pop3 setup ADDRESS               write the configuration for a mail address\n"
    "    pop3 help [COMMAND]\n"
    "\n"
    "A URL is pop3s://USER@HOST/ (TLS), or pop3://USER@HOST/ (TLS by STLS). In its place may stand "
    "the\n"
    "name of an account in ~/.config/pop3/config. N is a number, or a range such as 5-9 or 5-.\n"
    "\n"
    "Every setting of pop3-config(5) is an option of the same name, such as --password-file FILE "
    "or\n"
    "--ca-file FILE. --json prints for programs, --quiet only mistakes. See pop3(1).\n"
    "\n"
    "Exit statuses are those of sysexits.h: 0 success, 64 usage, 75 try again later, 77 login "
    "refused,\n"
    "78 configuration.\n";

static const char sync_help[] =
    "pop3 sync [URL | ACCOUNT...] [OPTION...]: brings new mail, each message exactly once.\n"
    "\n"
    "    --maildir DIR | --mbox FILE | --command COMMAND\n"
    "                         where to; a command gets each message on its standard input\n"
    "    --state FILE         what is known; default ~/.local/state/pop3/state.db\n"
    "    --keep               leave mail on the server (the default)\n"
    "    --delete             delete it there once it is delivered\n"
    "    --delete-after 14d   delete it there so long after it was delivered\n"
    "    --max-size 50M       leave larger messages on the server\n"
    "    --kill-size 50M      delete larger messages unread\n"
    "    --message-limit 1G   give a message up once it has grown so large; 0: never\n"
    "    --filter COMMAND     is given each header: 0 take, 1 delete, 2 leave\n"
    "    --limit N            retrieve at most N messages an account\n"
    "    --jobs N             accounts at once (16); --per-host N of those at one host (4)\n"
    "    --retries N          when the mailbox is in use: how often to come back (4), after\n"
    "    --retry-wait 5s      at first, then twice as long each time\n"
    "    --every 5m           stay, and do it again\n"
    "    --dry-run            say what would be done\n"
    "    --json, --quiet, --verbose\n"
    "\n"
    "Without URL or ACCOUNT all accounts of the configuration are synced.\n";

int p3_help(FILE *out, const char *subcommand)
{
    const char *text = subcommand != NULL && strcmp(subcommand, "sync") == 0 ? sync_help : general;
    return fputs(text, out) < 0 ? EX_IOERR : EX_OK;
}

/* What `pop3 help` says. */
#include "cli/help.h"

#include <string.h>
#include <sysexits.h>

#include "cli/output.h"

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
    "    pop3 help [COMMAND | options]    more of a command; the options of all\n"
    "    pop3 --version\n"
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
    "    --remove WHEN        the same three in one: never, delivered or 14d\n"
    "    --max-size 50M       leave larger messages on the server\n"
    "    --kill-size 50M      delete larger messages unread\n"
    "    --message-limit 4G   give a message up once it has grown so large; 0: never\n"
    "    --filter COMMAND     is given each header: 0 take, 1 delete, 2 leave\n"
    "    --limit N            retrieve at most N messages an account\n"
    "    --line-ends lf|crlf  of what is delivered (lf)\n"
    "    --delivered-to ADDR  add a line Delivered-To:\n"
    "    --received           add a line Received:\n"
    "    --jobs N             accounts at once (16)\n"
    "    --per-host N         of those, at one host (4)\n"
    "    --retries N          when the mailbox is in use: how often to come back (4), after\n"
    "    --retry-wait 5s      at first, then twice as long each time\n"
    "    --every 5m           stay, and do it again\n"
    "    -n, --dry-run        say what would be done\n"
    "    --json, --quiet, --verbose\n"
    "\n"
    "Without URL or ACCOUNT all accounts of the configuration are synced. `pop3 help options` "
    "lists "
    "how to\n"
    "connect and log in.\n";

static const char options_help[] =
    "Options of every command that speaks to a server; all are settings of pop3-config(5), too.\n"
    "\n"
    "Where\n"
    "    --url URL               server and user at once\n"
    "    --host HOST, --port N, --user NAME\n"
    "    --socket FILE           a Unix-domain socket in place of a host\n"
    "    --local-address ADDR    connect from there\n"
    "    --proxy URL             socks5://HOST[:PORT], socks4a:// or http://\n"
    "    --proxy-user NAME       (its password is set in the configuration)\n"
    "TLS\n"
    "    --tls tls|stls|none     from the first octet, by STLS, or not at all\n"
    "    --ca-file FILE, --ca-dir DIR\n"
    "                            authorities to trust in place of the system's\n"
    "    --pin sha256//BASE64    the key that the server must have; doctor shows it\n"
    "    --server-name NAME      what its certificate is for, in place of the host\n"
    "    --crl-file FILE         revocation lists\n"
    "    --certificate FILE, --key FILE\n"
    "                            our own\n"
    "    --tls-min 1.2|1.3       the least version\n"
    "The password: the first of these, else ~/.netrc, else the terminal\n"
    "    --token-command CMD     prints an OAuth access token\n"
    "    --password-command CMD  prints the password\n"
    "    --password-file FILE    holds it, for nobody else to read\n"
    "    --keyring               the desktop's keyring has it\n"
    "    --netrc FILE            in place of ~/.netrc\n"
    "Logging in\n"
    "    --auth MECHANISM        instead of the strongest that both sides know\n"
    "    --channel-binding TYPE  tls-exporter, tls-server-end-point or tls-unique\n"
    "    --initial-response auto|never\n"
    "                            whether AUTH carries the first response\n"
    "    --utf8 auto|off         whether UTF8 is sent where the server announces it\n"
    "    --allow-plaintext       the password may travel unprotected\n"
    "The session\n"
    "    --timeout 60s           how long nothing may happen\n"
    "    --connect-timeout 30s   until the greeting has come\n"
    "    --session-timeout TIME  from connecting to the end\n"
    "    --pipelining auto|on|off\n"
    "    --traits LIST           what is peculiar about the server, beside what was learned\n"
    "Anything else\n"
    "    --config FILE           in place of ~/.config/pop3/config\n"
    "    --json                  an object a line, for programs\n"
    "    -q, --quiet             only mistakes are said\n"
    "    -v, --verbose           more is said\n"
    "    --trace                 what goes over the connection, without secrets\n"
    "    --no-sandbox            keep the right to open any file and run programs\n"
    "    -h, --help              of the command before it\n";

static const char end[] = "\nThe options of all commands: pop3 help options. More: pop3(1).\n";

static const struct {
    const char *name;
    const char *text;
    const char *more;
} topics[] = {
    {"capa", "pop3 capa URL [OPTION...]: what the server announces once logged in; --json.\n", end},
    {"cat", "pop3 cat URL N... [OPTION...]: messages as they are, one after the other.\n", end},
    {"doctor",
     "pop3 doctor URL [OPTION...]: what a server offers, what is wrong with its certificate, what "
     "is\n"
     "odd about it, and what to configure. Changes nothing.\n",
     end},
    {"headers",
     "pop3 headers URL [N...] [OPTION...]: a table, as list shows it.\n"
     "\n"
     "    -v, --verbose        every field of each header\n"
     "    --json               the same for programs\n",
     end},
    {"help", general, ""},
    {"list",
     "pop3 list URL [N...] [OPTION...]: a table: number, size, date, from, subject; --json.\n"
     "On a terminal it is cut to fit.\n",
     end},
    {"options", options_help, ""},
    {"rm",
     "pop3 rm URL N... [OPTION...]: deletes messages: all that are named, or none.\n"
     "\n"
     "    -n, --dry-run        say what would be deleted\n",
     end},
    {"setup",
     "pop3 setup ADDRESS [OPTION...]: adds a mail address to the configuration, when its domain "
     "says\n"
     "in the DNS where its POP3 server is (RFC 6186).\n"
     "\n"
     "    -n, --dry-run        show what would be added\n"
     "    --config FILE        in place of ~/.config/pop3/config\n",
     "\nMore: pop3(1).\n"},
    {"shell",
     "pop3 shell URL [OPTION...]: a session by hand, with line editing, history and completion. "
     "Only\n"
     "quit deletes what was marked; help lists the commands.\n",
     end},
    {"stat", "pop3 stat URL [OPTION...]: how many messages there are, how large; --json.\n", end},
    {"sync", sync_help, ""},
    {"top",
     "pop3 top URL N... [OPTION...]: headers of messages.\n"
     "\n"
     "    --lines K            and the first K lines of their bodies\n",
     end},
    {"uidl", "pop3 uidl URL [N...] [OPTION...]: the messages' unique-ids; --json.\n", end},
};

int p3_help(FILE *out, const char *topic)
{
    if (topic == NULL)
        topic = "help";
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        if (strcmp(topics[i].name, topic) == 0)
            return !p3_print(out, "%s%s", topics[i].text, topics[i].more) ? EX_IOERR : EX_OK;
    }
    return EX_USAGE;
}

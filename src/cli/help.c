/* What `pop3 help` says. */
#include "cli/help.h"

#include <string.h>
#include <sysexits.h>

static const char general[] =
    "pop3: reads mail from POP3 servers, and keeps a Maildir in step with them\n"
    "\n"
    "    pop3 sync [URL | ACCOUNT...] [OPTION...]\n"
    "\n"
    "A URL is pop3s://USER@HOST/ (TLS) or pop3://USER@HOST/ (TLS through STLS).\n"
    "Exit statuses are those of sysexits.h; 0 is success, 75 means: try again later.\n";

int p3_help(FILE *out, const char *subcommand)
{
    (void)subcommand;
    return fputs(general, out) < 0 ? EX_IOERR : EX_OK;
}

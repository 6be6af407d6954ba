/* What the examples share: the account named on the command line, and its password. */
#define _DEFAULT_SOURCE /* explicit_bzero() */
#include "account.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static bool read_password(account *a)
{
    struct termios before;
    bool terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
    if (terminal) {
        struct termios quiet = before;
        quiet.c_lflag &= ~(tcflag_t)ECHO;
        fprintf(stderr, "Password of %s: ", a->user);
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
    }
    setvbuf(stdin, NULL, _IONBF, 0); /* no second copy of the password in a buffer */
    bool got = fgets(a->password, sizeof a->password, stdin) != NULL;
    if (terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fputc('\n', stderr);
    }
    if (!got) {
        fprintf(stderr, "no password was given\n");
        return false;
    }
    a->password[strcspn(a->password, "\r\n")] = '\0';
    return true;
}

static bool read_port(const char *text, uint16_t *port)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || value == 0 || value > 65535) {
        fprintf(stderr, "%s is not a port: 1 to 65535\n", text);
        return false;
    }
    *port = (uint16_t)value;
    return true;
}

static bool make_tls(account *a, const char *ca_file)
{
    char why[300];
    pop3_tls_options o = POP3_TLS_OPTIONS_INIT;
    o.ca_file = ca_file;
    if (pop3_tls_new(&a->tls, &o, why, sizeof why) == POP3_OK) {
        a->options.tls = a->tls;
        return true;
    }
    fprintf(stderr, "%s\n", why);
    return false;
}

bool account_read(account *a, int argc, char **argv)
{
    enum { TLS = 1, STLS, CA_FILE, APOP };
    static const struct option known[] = {
        {"tls", no_argument, NULL, TLS},
        {"stls", no_argument, NULL, STLS},
        {"ca-file", required_argument, NULL, CA_FILE},
        {"apop", no_argument, NULL, APOP},
        {NULL, 0, NULL, 0},
    };
    const char *ca_file = NULL;
    bool usage = false;
    *a = (account){.options = POP3_CLIENT_OPTIONS_INIT};
    a->options.security = POP3_SECURITY_PLAIN;
    for (int o; (o = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (o == TLS)
            a->options.security = POP3_SECURITY_TLS;
        else if (o == STLS)
            a->options.security = POP3_SECURITY_STLS;
        else if (o == CA_FILE)
            ca_file = optarg;
        else if (o == APOP)
            a->apop = true;
        else
            usage = true;
    }
    if (usage || argc - optind != 3) {
        fprintf(stderr, "usage: %s [--tls | --stls] [--ca-file FILE] [--apop] HOST PORT USER\n",
                argv[0]);
        return false;
    }
    a->options.host = argv[optind];
    a->user = argv[optind + 2];
    if (!read_port(argv[optind + 1], &a->options.port))
        return false;
    if (a->options.security == POP3_SECURITY_PLAIN && !a->apop) {
        fprintf(stderr, "without --tls or --stls the password is sent unencrypted\n");
        a->options.allow_plaintext_password = true;
    }
    if (a->options.security != POP3_SECURITY_PLAIN && !make_tls(a, ca_file))
        return false;
    return read_password(a);
}

bool account_complain(const pop3_client *c)
{
    fprintf(stderr, "%s\n", pop3_client_error(c)->message);
    return false;
}

static bool log_in(const account *a, pop3_client *c)
{
    if (a->apop)
        return pop3_client_apop(c, a->user, a->password) == POP3_OK;
    return pop3_client_user(c, a->user) == POP3_OK && pop3_client_pass(c, a->password) == POP3_OK;
}

pop3_client *account_open(account *a)
{
    pop3_client *c;
    pop3_status status = pop3_client_new(&c, &a->options);
    if (status != POP3_OK) {
        fprintf(stderr, "%s: %s\n", a->options.host, pop3_status_message(status));
        return NULL;
    }
    if (pop3_client_connect(c) == POP3_OK && log_in(a, c))
        return c;
    account_complain(c);
    pop3_client_free(c);
    return NULL;
}

void account_forget(account *a)
{
    explicit_bzero(a->password, sizeof a->password);
    pop3_tls_free(a->tls);
    a->tls = NULL;
}

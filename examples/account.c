/* Shared by the examples: the account on the command line, and its login. */
#define _DEFAULT_SOURCE /* explicit_bzero() */
#include "account.h"

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* Reads a line without stdio, which would keep a copy of the secret. */
static bool read_line(int fd, char *line, size_t size, size_t *len)
{
    size_t n = 0;
    while (n < size) {
        ssize_t got = read(fd, line + n, 1);
        if (got < 0)
            return false;
        if (got == 0 || line[n] == '\n') {
            *len = n > 0 && line[n - 1] == '\r' ? n - 1 : n;
            return got > 0 || n > 0;
        }
        n++;
    }
    return false;
}

static bool read_password(account *a)
{
    struct termios before;
    bool terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
    if (terminal) {
        struct termios quiet = before;
        quiet.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH,
                  &quiet); /* before the prompt, because what is typed then is secret */
        fprintf(stderr, "Password of %s: ", a->login.user);
    }
    bool got = read_line(STDIN_FILENO, a->password, sizeof a->password, &a->length);
    if (terminal) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fputc('\n', stderr);
    }
    return got;
}

static bool read_token(const account *a, char *buffer, size_t size, size_t *len)
{
    int fd = open(a->token_file, O_RDONLY | O_CLOEXEC);
    bool got = fd >= 0 && read_line(fd, buffer, size, len);
    if (!got)
        perror(a->token_file);
    if (fd >= 0)
        close(fd);
    return got;
}

/* Called by the library when a mechanism has been chosen, for the secret that it needs. */
static pop3_status give_secret(void *ctx, pop3_secret_kind kind, const char *user, char *buffer,
                               size_t size, size_t *len)
{
    account *a = ctx;
    (void)user;
    if ((kind == POP3_SECRET_TOKEN) != (a->token_file != NULL))
        return POP3_ERR_NOT_OFFERED;
    if (kind == POP3_SECRET_TOKEN)
        return read_token(a, buffer, size, len) ? POP3_OK : POP3_ERR_CANCELLED;
    if (a->length == 0 && !read_password(a)) /* kept for the next login */
        return POP3_ERR_CANCELLED;
    memcpy(buffer, a->password, a->length);
    *len = a->length;
    return POP3_OK;
}

static bool read_port(const char *text, uint16_t *port)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || value == 0 || value > 65535) {
        fprintf(stderr, "%s is not a port (1 to 65535)\n", text);
        return false;
    }
    *port = (uint16_t)value;
    return true;
}

/* Reads what an earlier run learned about the server: "no-capa, quit-after=12". The file need not
 * exist. */
static void recall(account *a)
{
    char text[POP3_TRAITS_TEXT] = "";
    FILE *file = fopen(a->traits_file, "re");
    if (file == NULL)
        return;
    if (fgets(text, sizeof text, file) != NULL)
        text[strcspn(text, "\r\n")] = '\0';
    fclose(file);
    if (!pop3_server_traits_read(&a->options.traits, text))
        fprintf(stderr, "%s: ignoring invalid traits: %s\n", a->traits_file, text);
}

void account_remember(const account *a, const pop3_client *c)
{
    char text[POP3_TRAITS_TEXT];
    const pop3_server_traits *now = pop3_client_traits(c);
    if (a->traits_file == NULL ||
        pop3_server_traits_empty(pop3_server_traits_beyond(*now, a->options.traits)))
        return;
    FILE *file = fopen(a->traits_file, "we");
    bool ok = file != NULL && pop3_server_traits_write(now, text, sizeof text) > 0 &&
              fprintf(file, "%s\n", text) > 0;
    if (file == NULL || fclose(file) != 0 || !ok)
        perror(a->traits_file);
}

static bool make_tls(account *a, const pop3_tls_options *o)
{
    char why[300];
    if (pop3_tls_new(&a->tls, o, why, sizeof why) == POP3_OK) {
        a->options.tls = a->tls;
        return true;
    }
    fprintf(stderr, "%s\n", why);
    return false;
}

/* Seconds to milliseconds, at most an hour; 0: no limit. */
static int milliseconds(const char *text)
{
    double seconds = strtod(text, NULL);
    return seconds > 3600 ? 3600 * 1000 : seconds > 0 ? (int)(seconds * 1000) : 0;
}

/* Parses the options; returns false for an unknown one. */
static bool read_options(account *a, pop3_tls_options *tls, int argc, char **argv)
{
    enum { TLS = 1, STLS, CA_FILE, CERT, KEY, APOP, AUTH, BINDING, TOKEN_FILE, TIMEOUT, TRAITS };
    static const struct option known[] = {
        {"tls", no_argument, NULL, TLS},
        {"stls", no_argument, NULL, STLS},
        {"ca-file", required_argument, NULL, CA_FILE},
        {"cert", required_argument, NULL, CERT},
        {"key", required_argument, NULL, KEY},
        {"apop", no_argument, NULL, APOP},
        {"auth", required_argument, NULL, AUTH},
        {"channel-binding", required_argument, NULL, BINDING},
        {"token-file", required_argument, NULL, TOKEN_FILE},
        {"timeout", required_argument, NULL, TIMEOUT},
        {"traits", required_argument, NULL, TRAITS},
        {NULL, 0, NULL, 0},
    };
    bool ok = true;
    for (int o; (o = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (o == TLS)
            a->options.security = POP3_SECURITY_TLS;
        else if (o == STLS)
            a->options.security = POP3_SECURITY_STLS;
        else if (o == CA_FILE)
            tls->ca_file = optarg;
        else if (o == CERT)
            tls->certificate_file = optarg;
        else if (o == KEY)
            tls->key_file = optarg;
        else if (o == APOP)
            a->login.mechanism = "APOP";
        else if (o == AUTH)
            a->login.mechanism = optarg;
        else if (o == BINDING)
            a->login.channel_binding = optarg;
        else if (o == TOKEN_FILE)
            a->token_file = optarg;
        else if (o == TIMEOUT)
            a->options.session_timeout_ms = milliseconds(optarg);
        else if (o == TRAITS)
            a->traits_file = optarg;
        else
            ok = false;
    }
    return ok && argc - optind == 3;
}

bool account_read(account *a, int argc, char **argv)
{
    pop3_tls_options tls = POP3_TLS_OPTIONS_INIT;
    *a = (account){.options = POP3_CLIENT_OPTIONS_INIT, .login = POP3_LOGIN_OPTIONS_INIT};
    a->options.security = POP3_SECURITY_PLAIN;
    a->options.engine.limits.entries = 100000; /* a mailbox is not expected to have more */
    if (!read_options(a, &tls, argc, argv)) {
        fprintf(stderr, "usage: %s " ACCOUNT_USAGE "\n", argv[0]);
        return false;
    }
    if (a->traits_file != NULL)
        recall(a);
    a->options.host = argv[optind];
    a->login.user = argv[optind + 2];
    a->login.secret = give_secret;
    a->login.secret_ctx = a;
    if (!read_port(argv[optind + 1], &a->options.port))
        return false;
    if (a->options.security == POP3_SECURITY_PLAIN) {
        fprintf(stderr,
                "warning: without --tls or --stls others on the network can read the mail and the "
                "password\n");
        a->login.allow_plaintext = true;
    }
    return a->options.security == POP3_SECURITY_PLAIN || make_tls(a, &tls);
}

bool account_connections(size_t *count, int *argc, char ***argv)
{
    if (*argc > 2 && strcmp((*argv)[1], "--connections") == 0) {
        *count = strtoul((*argv)[2], NULL, 10);
        (*argv)[2] = (*argv)[0];
        *argc -= 2;
        *argv += 2;
    }
    if (*count >= 1 && *count <= 1000)
        return true;
    fprintf(stderr, "the number of connections must be 1 to 1000\n");
    return false;
}

bool account_complain(const pop3_client *c)
{
    fprintf(stderr, "%s\n", pop3_client_error(c)->message);
    return false;
}

pop3_client *account_open(account *a)
{
    pop3_client *c;
    pop3_status status = pop3_client_new(&c, &a->options);
    if (status != POP3_OK) {
        fprintf(stderr, "%s: %s\n", a->options.host, pop3_status_message(status));
        return NULL;
    }
    bool ok = pop3_client_connect(c) == POP3_OK && pop3_login(c, &a->login) == POP3_OK;
    account_remember(a, c);
    if (ok)
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

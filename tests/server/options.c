/* The command line: reads it, checks it, says what is wrong. */
#define _GNU_SOURCE /* getopt_long() */
#include "options.h"
#include "conn.h"
#include "listen.h"
#include "usage.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum option_id {
    OPT_BIND = 256,
    OPT_PORT,
    OPT_TLS_PORT,
    OPT_TLS,
    OPT_CERT,
    OPT_KEY,
    OPT_TLS_MIN,
    OPT_TLS_MAX,
    OPT_CLIENT_CA,
    OPT_ALPN,
    OPT_MAIL,
    OPT_SCRIPT,
    OPT_MAX_SESSIONS,
    OPT_ONCE,
    OPT_USER,
    OPT_PASSWORD,
    OPT_GREETING,
    OPT_APOP,
    OPT_RPOP,
    OPT_DELETE,
    OPT_CAPA,
    OPT_NO_CAPA,
    OPT_REFUSE,
    OPT_ERROR,
    OPT_NO_PIPELINING,
    OPT_DISCARD_PIPELINED,
    OPT_SPLIT,
    OPT_DELAY,
    OPT_MOST_COMMANDS,
    OPT_MOST_ERRORS,
    OPT_MOST_TOGETHER,
    OPT_LATE_CAPA,
    OPT_CLOSE_AFTER,
    OPT_RESET_AFTER,
    OPT_NO_CLOSE_NOTIFY,
    OPT_LOG,
    OPT_LOG_READS,
    OPT_HELP,
};

static const struct option long_options[] = {
    {"bind", required_argument, NULL, OPT_BIND},
    {"port", required_argument, NULL, OPT_PORT},
    {"tls-port", required_argument, NULL, OPT_TLS_PORT},
    {"tls", no_argument, NULL, OPT_TLS},
    {"cert", required_argument, NULL, OPT_CERT},
    {"key", required_argument, NULL, OPT_KEY},
    {"tls-min", required_argument, NULL, OPT_TLS_MIN},
    {"tls-max", required_argument, NULL, OPT_TLS_MAX},
    {"client-ca", required_argument, NULL, OPT_CLIENT_CA},
    {"alpn", no_argument, NULL, OPT_ALPN},
    {"mail", required_argument, NULL, OPT_MAIL},
    {"script", required_argument, NULL, OPT_SCRIPT},
    {"max-sessions", required_argument, NULL, OPT_MAX_SESSIONS},
    {"once", no_argument, NULL, OPT_ONCE},
    {"user", required_argument, NULL, OPT_USER},
    {"password", required_argument, NULL, OPT_PASSWORD},
    {"greeting", required_argument, NULL, OPT_GREETING},
    {"apop", no_argument, NULL, OPT_APOP},
    {"rpop", no_argument, NULL, OPT_RPOP},
    {"delete", no_argument, NULL, OPT_DELETE},
    {"capa", required_argument, NULL, OPT_CAPA},
    {"no-capa", required_argument, NULL, OPT_NO_CAPA},
    {"refuse", required_argument, NULL, OPT_REFUSE},
    {"error", required_argument, NULL, OPT_ERROR},
    {"no-pipelining", no_argument, NULL, OPT_NO_PIPELINING},
    {"discard-pipelined", no_argument, NULL, OPT_DISCARD_PIPELINED},
    {"split", required_argument, NULL, OPT_SPLIT},
    {"delay", required_argument, NULL, OPT_DELAY},
    {"most-commands", required_argument, NULL, OPT_MOST_COMMANDS},
    {"most-errors", required_argument, NULL, OPT_MOST_ERRORS},
    {"most-together", required_argument, NULL, OPT_MOST_TOGETHER},
    {"late-capa", required_argument, NULL, OPT_LATE_CAPA},
    {"close-after", required_argument, NULL, OPT_CLOSE_AFTER},
    {"reset-after", required_argument, NULL, OPT_RESET_AFTER},
    {"no-close-notify", no_argument, NULL, OPT_NO_CLOSE_NOTIFY},
    {"log", required_argument, NULL, OPT_LOG},
    {"log-reads", no_argument, NULL, OPT_LOG_READS},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

bool parse_number(const char *text, uint64_t max, uint64_t *value)
{
    uint64_t n = 0;
    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9') {
            return false;
        }
        uint64_t digit = (uint64_t)(*text - '0');
        if (n > (max - digit) / 10) {
            return false;
        }
        n = n * 10 + digit;
    }
    *value = n;
    return true;
}

static bool add_word(struct words *words, const char *word)
{
    const char **grown = realloc(words->v, (words->n + 1) * sizeof *grown);
    if (grown == NULL) {
        perror("pop3-testserver");
        return false;
    }
    words->v = grown;
    words->v[words->n++] = word;
    return true;
}

static bool bad(const char *what, const char *value)
{
    (void)fprintf(stderr, "pop3-testserver: %s: '%s' (see --help)\n", what, value);
    return false;
}

static bool set_number(const char *text, uint64_t min, uint64_t max, uint64_t *value)
{
    if (!parse_number(text, max, value) || *value < min) {
        return bad("a number is out of range", text);
    }
    return true;
}

static bool set_version(const char *text, int *version)
{
    *version = tls_version(text);
    return *version != 0 || bad("TLS versions are 1.0, 1.1, 1.2 and 1.3, not", text);
}

/* Options with a number. */
static bool apply_number(struct options *o, int id, const char *value)
{
    uint64_t n = 0;
    switch (id) {
    case OPT_PORT:
        if (set_number(value, 0, 65535, &n)) {
            o->port = (unsigned)n;
            return true;
        }
        return false;
    case OPT_TLS_PORT:
        if (set_number(value, 0, 65535, &n)) {
            o->tls_port = (unsigned)n;
            o->tls = true;
            return true;
        }
        return false;
    case OPT_MAX_SESSIONS:
        return set_number(value, 1, UINT32_MAX, &o->max_sessions);
    case OPT_SPLIT:
        if (set_number(value, 1, CONN_PIECE_MAX, &n)) {
            o->split = (size_t)n;
            return true;
        }
        return false;
    case OPT_DELAY:
        if (set_number(value, 0, 3600000, &n)) {
            o->delay = (unsigned)n;
            return true;
        }
        return false;
    case OPT_MOST_COMMANDS:
        return set_number(value, 1, INT64_MAX, &o->most_commands);
    case OPT_MOST_ERRORS:
        return set_number(value, 1, INT64_MAX, &o->most_errors);
    case OPT_MOST_TOGETHER:
        return set_number(value, 1, INT64_MAX, &o->most_together);
    default: /* OPT_CLOSE_AFTER, OPT_RESET_AFTER */
        o->limit_resets = id == OPT_RESET_AFTER;
        return set_number(value, 0, INT64_MAX, &o->limit);
    }
}

static bool set_late_capa(const char *value, enum late_capa *how)
{
    *how = strcmp(value, "close") == 0 ? LATE_CAPA_CLOSE : LATE_CAPA_REFUSE;
    return *how == LATE_CAPA_CLOSE || strcmp(value, "refuse") == 0 ||
           bad("refuse or close is expected", value);
}

static bool apply(struct options *o, int id, const char *value)
{
    switch (id) {
    case OPT_BIND:
        o->bind = value;
        return is_loopback(value) || bad("this is no loopback address", value);
    case OPT_TLS:
        o->tls = true;
        return true;
    case OPT_CERT:
        o->tls_settings.cert = value;
        return true;
    case OPT_KEY:
        o->tls_settings.key = value;
        return true;
    case OPT_TLS_MIN:
        return set_version(value, &o->tls_settings.min);
    case OPT_TLS_MAX:
        return set_version(value, &o->tls_settings.max);
    case OPT_CLIENT_CA:
        o->tls_settings.client_ca = value;
        return true;
    case OPT_ALPN:
        o->tls_settings.alpn = true;
        return true;
    case OPT_MAIL:
        o->mail = value;
        return true;
    case OPT_SCRIPT:
        return add_word(&o->scripts, value);
    case OPT_ONCE:
        o->max_sessions = 1;
        return true;
    case OPT_USER:
        o->user = value;
        return true;
    case OPT_PASSWORD:
        o->password = value;
        return true;
    case OPT_GREETING:
        o->greeting = value;
        return true;
    case OPT_APOP:
        o->apop = true;
        return true;
    case OPT_RPOP:
        o->rpop = true;
        return true;
    case OPT_DELETE:
        o->delete_files = true;
        return true;
    case OPT_CAPA:
        return add_word(&o->capa, value);
    case OPT_NO_CAPA:
        return add_word(&o->no_capa, value);
    case OPT_REFUSE:
        return add_word(&o->refuse, value);
    case OPT_ERROR:
        return add_word(&o->errors, value);
    case OPT_LATE_CAPA:
        return set_late_capa(value, &o->late_capa);
    case OPT_NO_PIPELINING:
        o->no_pipelining = true;
        return true;
    case OPT_DISCARD_PIPELINED:
        o->discard_pipelined = true;
        return true;
    case OPT_NO_CLOSE_NOTIFY:
        o->no_close_notify = true;
        return true;
    case OPT_LOG:
        o->log = value;
        return true;
    case OPT_LOG_READS:
        o->log_reads = true;
        return true;
    default:
        return apply_number(o, id, value);
    }
}

/* What options must have beside them. */
static bool consistent(const struct options *o)
{
    const struct tls_settings *tls = &o->tls_settings;
    const char *wrong = NULL;
    if (o->mail == NULL && o->scripts.n == 0) {
        wrong = "one of --mail and --script is needed";
    } else if (tls->cert == NULL && o->tls) {
        wrong = "--tls needs --cert";
    } else if (tls->cert == NULL && tls->key != NULL) {
        wrong = "--key needs --cert";
    } else if (tls->min != 0 && tls->max != 0 && tls->min > tls->max) {
        wrong = "--tls-min is above --tls-max";
    } else if (o->log_reads && o->log == NULL) {
        wrong = "--log-reads needs --log";
    }
    size_t from_stdin = 0;
    for (size_t i = 0; i < o->scripts.n; i++) {
        from_stdin += strcmp(o->scripts.v[i], "-") == 0 ? 1 : 0;
    }
    if (from_stdin > 1) {
        wrong = "--script - can be given once";
    }
    if (wrong != NULL) {
        (void)fprintf(stderr, "pop3-testserver: %s (see --help)\n", wrong);
    }
    return wrong == NULL;
}

enum parsed options_parse(struct options *options, int argc, char **argv)
{
    memset(options, 0, sizeof *options);
    options->bind = "127.0.0.1";
    options->limit = UINT64_MAX;
    int id;
    while ((id = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        if (id == OPT_HELP || id == 'h') {
            return fputs(usage_text, stdout) < 0 ? PARSED_BAD : PARSED_HELP;
        }
        if (id == '?' || !apply(options, id, optarg)) {
            return PARSED_BAD; /* getopt_long() has said what it does not know */
        }
    }
    if (optind < argc) {
        (void)bad("this is no option", argv[optind]);
        return PARSED_BAD;
    }
    return consistent(options) ? PARSED_RUN : PARSED_BAD;
}

void options_free(struct options *options)
{
    free(options->scripts.v);
    free(options->capa.v);
    free(options->no_capa.v);
    free(options->refuse.v);
    free(options->errors.v);
}

/* What the command line asks for. The strings are those of argv. */
#ifndef TESTSERVER_OPTIONS_H
#define TESTSERVER_OPTIONS_H

#include "tls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct words {
    const char **v;
    size_t n;
};

/* What becomes of CAPA after the login. */
enum late_capa {
    LATE_CAPA_ANSWER,
    LATE_CAPA_REFUSE,
    LATE_CAPA_CLOSE
}; /* the last two: and the end */

struct options {
    /* where */
    const char *bind; /* a loopback address */
    unsigned port;    /* 0: any free one */
    unsigned tls_port;
    bool tls; /* open the port with implicit TLS */
    struct tls_settings tls_settings;

    /* what to play */
    const char *mail;      /* folder, or NULL */
    struct words scripts;  /* files; "-" is standard input */
    uint64_t max_sessions; /* 0: no end */

    /* the session */
    const char *user; /* NULL: any */
    const char *password;
    const char *greeting;
    bool apop;
    bool rpop;
    bool delete_files;
    struct words capa;    /* lines to add */
    struct words no_capa; /* names to leave out */
    struct words refuse;  /* "CMD" or "CMD ARGUMENTS" */
    struct words errors;  /* "CMD TEXT" */
    enum late_capa late_capa;
    bool no_pipelining;
    bool discard_pipelined;
    uint64_t most_commands; /* of a session; 0: as many as come */
    uint64_t most_errors;   /* refused commands of a session; 0: as many as come */
    uint64_t most_together; /* that have come by the time one is read; 0: as many as come */

    /* the connection */
    size_t split;
    unsigned delay; /* milliseconds */
    uint64_t limit; /* octets; UINT64_MAX: none */
    bool limit_resets;
    bool no_close_notify;

    /* the transcript */
    const char *log;
    bool log_reads;
};

enum parsed {
    PARSED_RUN,
    PARSED_HELP, /* it was printed */
    PARSED_BAD,  /* what is wrong was printed */
};

enum parsed options_parse(struct options *options, int argc, char **argv);
void options_free(struct options *options);

/* A decimal number up to max, nothing else around it. */
bool parse_number(const char *text, uint64_t max, uint64_t *value);

#endif

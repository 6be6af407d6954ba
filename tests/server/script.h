/* A script: what a connection is to do, statement by statement.
 * script_words.c cuts the text into words, script.c makes statements, script_run.c plays them. */
#ifndef TESTSERVER_SCRIPT_H
#define TESTSERVER_SCRIPT_H

#include "tls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;
struct server;

/* Octets, NUL among them perhaps; a NUL that does not count follows. */
struct text {
    char *data;
    size_t len;
};

enum statement_kind {
    DO_SEND,
    DO_LINE,
    DO_EXPECT,
    DO_EXPECT_PREFIX,
    DO_EXPECT_ANY,
    DO_EXPECT_EOF,
    DO_EXPECT_SILENCE,
    DO_BODY,
    DO_RAW,
    DO_FILL,
    DO_RANDOM,
    DO_NUMBERS,
    DO_CAPA,
    DO_SPLIT,
    DO_SPLIT_AT,
    DO_DELAY,
    DO_DELAY_EACH,
    DO_TLS,
    DO_TLS_MAY_FAIL,
    DO_CLOSE,
    DO_RESET,
    DO_SHUTDOWN,
    DO_CLOSE_NOTIFY,
    DO_SERVE,
    DO_REPEAT,
    DO_LOOP,
    DO_ON,
    DO_ANSWER,
    DO_END,
};

struct statement {
    enum statement_kind kind;
    unsigned line;
    struct text *texts; /* its strings, files (as paths) and words, in order */
    size_t n_texts;
    uint64_t *numbers; /* its numbers, in order */
    size_t n_numbers;
    struct tls_context *tls; /* of `tls` with settings; NULL: the server's */
    size_t end;              /* of REPEAT, LOOP and ON: where its END is */
};

struct script {
    char *name; /* the file, or "-" */
    struct statement *statements;
    size_t n;
};

/* Reads and checks a script; errors go to standard error. settings: what `tls` uses where the
 * statement does not say; without a certificate there `tls` must name one. have_mail: whether
 * `serve` has a folder. NULL on errors. */
struct script *script_read(const char *name, const struct tls_settings *settings, bool have_mail);
void script_free(struct script *script);

/* Plays it. True when all that it expects came, and it was played to its end. */
bool script_run(const struct script *script, struct server *server, struct conn *conn);

/* ---- for the files of the parser alone ---- */

struct words_reader {
    const char *name;
    const char *p;
    const char *end;
    unsigned line; /* of p, from 1 */
};

enum word_kind {
    WORD_TEXT,
    WORD_BREAK, /* line end, or ; */
    WORD_OPEN,  /* { */
    WORD_CLOSE, /* } */
    WORD_OVER,  /* the end of the script */
    WORD_BAD,   /* what is wrong was printed */
};

/* The next word; text is allocated for WORD_TEXT. */
enum word_kind words_next(struct words_reader *reader, struct text *text);

void script_complain(const char *name, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif

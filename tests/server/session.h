/* A POP3 session that behaves (RFC 1939, 2449, 2595, 5034, 6856), or misbehaves as options say.
 * session_reply.c has its words and replies, session_auth.c the commands that log in,
 * session_mail.c those that work on messages, session.c all others. */
#ifndef TESTSERVER_SESSION_H
#define TESTSERVER_SESSION_H

#include "conn.h"
#include "server.h"

/* Some octets of a command line. */
struct span {
    const char *p;
    size_t n;
};

struct session;

/* Asked about each command line before it is answered. True: it has been dealt with. */
struct session_override {
    bool (*run)(void *ctx, struct session *s, struct span line);
    void *ctx;
};

struct session {
    struct server *server;
    struct conn *conn;
    const struct session_override *override; /* or NULL */
    bool transaction;                        /* in the TRANSACTION state, else AUTHORIZATION */
    bool utf8;                               /* UTF8 was given */
    bool french;                             /* LANG fr was given */
    uint64_t errors;                         /* commands that were refused */
    bool over;                               /* the connection is to be closed */
    bool stopped;                            /* ... because the server is to stop */
    char timestamp[128];                     /* for APOP; "" without it */
    char *user;                              /* after USER */
    size_t user_len;
    struct maildrop drop;
};

enum session_start {
    START_GREETING,
    START_SILENT,      /* the greeting was sent already */
    START_TRANSACTION, /* logged in already */
};

/* Runs until the session is over; the connection is left open.
 * IO_OK after QUIT, IO_EOF when the client just went, IO_STOPPED. */
enum io session_run(struct server *server, struct conn *conn, enum session_start start,
                    const struct session_override *override);

/* The ordinary answer to a command line, for an override. */
void session_answer(struct session *s, struct span line);

/* Whether "CMD" or "CMD ARGUMENTS" means this line. */
bool names_line(const char *command, size_t len, struct span line);

/* ---- for the files of the session alone ---- */

/* A whole reply. The first line of a longer one goes through here too. */
void reply(struct session *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void reply_text(struct session *s, const char *status, const char *text);

/* A further line of a reply (reply_text_line: of any length), and its end. */
void reply_text_line(struct session *s, const char *text);
void reply_line(struct session *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void reply_end(struct session *s);

/* Notes how an i/o call went: anything but IO_OK ends the session. True when it was IO_OK. */
bool session_io(struct session *s, enum io result);

/* One line from the client, without its line end. False: the session is over. */
bool session_line(struct session *s, struct span *line);

/* Enters TRANSACTION, with the reply. */
void session_enter(struct session *s);

bool span_is(struct span span, const char *word); /* without regard to case */
struct span span_word(struct span *rest);         /* takes the first word off */

void cmd_user(struct session *s, struct span args);
void cmd_pass(struct session *s, struct span args);
void cmd_apop(struct session *s, struct span args);
void cmd_rpop(struct session *s, struct span args);
void cmd_auth(struct session *s, struct span args);

void cmd_stat(struct session *s, struct span args);
void cmd_list(struct session *s, struct span args);
void cmd_uidl(struct session *s, struct span args);
void cmd_retr(struct session *s, struct span args);
void cmd_top(struct session *s, struct span args);
void cmd_dele(struct session *s, struct span args);
void cmd_rset(struct session *s, struct span args);

#endif

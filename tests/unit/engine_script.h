/* Engine tests as transcripts: the server says, the caller asks; the engine sends, the caller sees.
 *
 *     script *s = script_begin(NULL);
 *     says(s, "+OK ready\r\n");
 *     sees(s, "greeting ok {ready}");
 *     asks_number(s, POP3_CMD_RETR, 1);
 *     sends(s, "RETR 1\r\n");
 *     says(s, "+OK\r\nFrom: a\r\n\r\n..dot\r\n.\r\n");
 *     sees(s, "RETR 1 reply {}\n"
 *             "RETR 1 body {From: a\r\n\r\n.dot\r\n}\n"
 *             "RETR 1 ok {}");
 *     script_end(s);
 *
 * Events are lines of text; chunks of one message that follow each other are joined; a NUL is shown
 * as "\0" in two characters. Every octet sent and every event has to be checked before
 * script_end(). */
#ifndef TESTS_UNIT_ENGINE_SCRIPT_H
#define TESTS_UNIT_ENGINE_SCRIPT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pop3/engine.h>

/* Text that grows, always terminated. */
typedef struct growing {
    char *text;
    size_t len, cap;
} growing;

typedef struct script {
    pop3_engine *engine;
    growing events; /* not yet checked by sees() */
    bool body_open; /* the last event is a chunk of a message, its "}" is still to come */
    growing trace;  /* what the trace was told, at the level the options set */
} script;

void growing_add(growing *g, const char *data, size_t len);
void growing_text(growing *g, const char *text);
void growing_free(growing *g);

/* An engine that awaits the greeting, with options or defaults; its trace goes to s->trace. */
script *script_begin(const pop3_engine_options *options);

/* The same, after a greeting and a login; with capabilities (lines with their ends) unless NULL. */
script *script_logged_in(const pop3_engine_options *options, const char *capabilities);

/* Options that differ from the defaults in their pipelining. */
pop3_engine_options with_pipelining(pop3_pipelining pipelining);

/* Ends a test: nothing may be left to check. */
#define script_end(s) script_end_at((s), __FILE__, __LINE__)
void script_end_at(script *s, const char *file, int line);

/* Ends without a check, for tests that throw much away. */
void script_free(script *s);

/* Feeds octets of the server and gathers the events. */
void says(script *s, const char *text);
void says_octets(script *s, const char *data, size_t len);

/* Gathers events that are there without new octets, such as those after a failure. */
void script_drain(script *s);

/* The connection ends or fails. */
void fails(script *s, pop3_status status);

/* Submits a command, which has to be accepted. */
void asks(script *s, pop3_command_kind kind);
void asks_number(script *s, pop3_command_kind kind, uint32_t number);
void asks_text(script *s, pop3_command_kind kind, const char *text);
void asks_top(script *s, uint32_t number, uint32_t lines);
void asks_auth(script *s, const char *mechanism, const char *initial);

/* Commands to submit with an engine by hand. */
pop3_command command_of(pop3_command_kind kind, uint32_t number, const char *text);

/* Checks the events since the last check, one a line. */
#define sees(s, expected) sees_at((s), (expected), __FILE__, __LINE__)
void sees_at(script *s, const char *expected, const char *file, int line);

/* Checks the octets to send, and reports them as sent. */
#define sends(s, expected) sends_at((s), (expected), __FILE__, __LINE__)
void sends_at(script *s, const char *expected, const char *file, int line);

/* Checks the status and the sentence a dead engine gives. */
#define died(s, status, detail) died_at((s), (status), (detail), __FILE__, __LINE__)
void died_at(script *s, pop3_status status, const char *detail, const char *file, int line);

/* Appends an event to g in the form of sees(); *body_open as in struct script. */
void write_event(growing *g, bool *body_open, const pop3_event *ev);

#endif

/* Transcripts of whole conversations, for tests that cut the server's octets in all ways. */
#ifndef TESTS_UNIT_TRANSCRIPTS_H
#define TESTS_UNIT_TRANSCRIPTS_H

#include <stddef.h>

/* What the caller asks, a command a line, and what the server then says. Commands are as sent, but
 * "*" starts a raw one, "@" a raw one answered by many lines. Each challenge is answered with
 * "QUI=", and where STLS wants it TLS begins after the step. */
typedef struct step {
    const char *asks;
    const char *says;
    size_t len;
} step;

typedef struct transcript {
    const char *name;
    const char *greeting; /* NULL: "+OK ready" with CRLF; its text is always "ready" */
    step steps[4];
    const char *sees;  /* events after the greeting, in the form of engine_script.h */
    const char *sends; /* all octets sent */
} transcript;

extern const transcript transcripts[];
extern const size_t transcript_count;

#endif

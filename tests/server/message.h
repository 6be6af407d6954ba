/* A message file as it goes over the wire: line ends, dot-stuffing, the final CRLF.
 * Works in chunks: memory does not grow with the file. */
#ifndef TESTSERVER_MESSAGE_H
#define TESTSERVER_MESSAGE_H

#include "conn.h"

#include <stdint.h>

enum line_ends {
    ENDS_CRLF, /* a bare LF becomes CRLF; any LF ends a line */
    ENDS_KEEP, /* every octet as it is; only CRLF ends a line */
};

enum { WHOLE_MESSAGE = -1 };

/* Sends the file dot-stuffed, without the final dot. A CRLF is added when the last line has none.
 * body_lines: stop after that many lines of the body, or WHOLE_MESSAGE.
 * *octets gets the octets before dot-stuffing. IO_FAILED: the file could not be read (errno). */
enum io message_send(struct conn *c, int fd, enum line_ends ends, int64_t body_lines,
                     uint64_t *octets);

/* What message_send() with ENDS_CRLF and WHOLE_MESSAGE would count. False: errno says why. */
bool message_octets(int fd, uint64_t *octets);

/* Sends the file as it is. */
enum io message_send_raw(struct conn *c, int fd, uint64_t *octets);

#endif

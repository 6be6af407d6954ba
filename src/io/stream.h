/* A connected stream: reads and writes without blocking, with or without TLS. */
#ifndef P3_IO_STREAM_H
#define P3_IO_STREAM_H

#include <pop3/types.h>

#include "io/retired.h"
#include "io/tls_session.h"

/* A connection. Initialize with fd = -1. */
typedef struct p3_stream {
    int fd;
    p3_tls_session *tls;   /* NULL: without TLS */
    bool read_wants_write; /* TLS: reading must first write */
    bool write_wants_read; /* TLS: writing must first read */
} p3_stream;

typedef enum p3_io {
    P3_IO_OK,     /* some octets were transferred */
    P3_IO_AGAIN,  /* none could be transferred without waiting */
    P3_IO_CLOSED, /* the peer has ended the stream */
    P3_IO_FAILED  /* see errno, or the TLS session's error */
} p3_io;

/* Reads up to len octets. *again is set if the next read must not wait for the socket: the buffer
 * was filled, or the end of the stream has already been read from the socket. */
p3_io p3_stream_read(p3_stream *s, char *buffer, size_t len, size_t *got, bool *again);

/* Writes up to len octets. */
p3_io p3_stream_write(p3_stream *s, const char *data, size_t len, size_t *put);

/* Sends close_notify under TLS if `farewell` is set, and retires the socket. */
void p3_stream_close(p3_stream *s, bool farewell, p3_retired *retired);

#endif

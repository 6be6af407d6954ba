/* Standard input, output and error, which may have been closed by the parent. */
#ifndef P3_CLI_STREAMS_H
#define P3_CLI_STREAMS_H

#include <stdbool.h>

/* Opens those of the descriptors 0, 1 and 2 that are closed; otherwise the next descriptor, such as
 * the connection to the server, would become standard output. Input is then empty, output fails,
 * and errors are discarded. Returns false on failure. */
bool p3_streams_open(void);

/* Whether standard output was closed at the start, so that nobody reads it. */
bool p3_streams_output_was_closed(void);

#endif

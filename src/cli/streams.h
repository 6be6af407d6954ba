/* Standard input, output and error, which whoever started the command may have closed. */
#ifndef P3_CLI_STREAMS_H
#define P3_CLI_STREAMS_H

#include <stdbool.h>

/* Opens those of the descriptors 0, 1 and 2 that are closed: else what is opened next, such as the
 * connection to the server, would be standard output. From input comes nothing; what is printed to
 * output fails, as it is lost; complaints are lost without a further one. Returns false when that
 * does not work. */
bool p3_streams_open(void);

/* Whether standard output was closed when the program began: nobody waits for what it tells. */
bool p3_streams_output_was_closed(void);

#endif

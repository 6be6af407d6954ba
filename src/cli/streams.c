/* Standard input, output and error. */
#include "cli/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static bool output_was_closed;

bool p3_streams_open(void)
{
    static const int modes[] = {O_RDONLY, O_RDONLY, O_RDWR}; /* of input, output, error */
    for (int fd = 0; fd < 3; fd++) {
        if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
            continue;
        if (open("/dev/null", modes[fd]) != fd) /* returns the lowest free descriptor */
            return false;
        output_was_closed |= fd == STDOUT_FILENO;
    }
    return true;
}

bool p3_streams_output_was_closed(void)
{
    return output_was_closed;
}

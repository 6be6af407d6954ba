/* The options of a run. */
#include "collect/options.h"

#include <poll.h>

bool p3_stop_is_asked(const p3_sync_options *o)
{
    struct pollfd fd = {.fd = o->stop_fd, .events = POLLIN};
    if (o->stop != NULL)
        return *o->stop;
    return o->stop_fd >= 0 && poll(&fd, 1, 0) > 0;
}

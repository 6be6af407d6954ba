/* A flag that another thread or a signal handler can raise, with a descriptor that becomes
 * readable. */
#include "io/wake.h"

#include "io/socket.h"
#include "system/descriptor.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

bool p3_wake_init(p3_wake *w)
{
    w->ends[0] = w->ends[1] = -1;
    atomic_init(&w->raised, false);
    return p3_descriptor_pipe(w->ends, false);
}

void p3_wake_free(p3_wake *w)
{
    p3_close(&w->ends[0]);
    p3_close(&w->ends[1]);
}

void p3_wake_raise(p3_wake *w)
{
    int saved = errno;
    if (!atomic_exchange(&w->raised, true)) {
        /* One octet into an empty pipe whose other end is open: it can neither block nor fail. */
        ssize_t n = write(w->ends[1], "", 1);
        (void)n;
    }
    errno = saved;
}

bool p3_wake_is_raised(p3_wake *w)
{
    return atomic_load(&w->raised);
}

void p3_wake_clear(p3_wake *w)
{
    char octet;
    if (!atomic_load(&w->raised))
        return;
    /* The thread that raised the flag writes its octet immediately after: otherwise the pipe would
     * stay readable with the flag lowered. */
    struct pollfd written = {.fd = w->ends[0], .events = POLLIN};
    while (read(w->ends[0], &octet, 1) < 0)
        (void)poll(&written, 1, -1);
    atomic_store(&w->raised, false);
}

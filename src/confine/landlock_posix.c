/* No Landlock on this system: nothing is given up, and the command says so. */
#include "confine/landlock.h"

#include <errno.h>

bool p3_landlock_is_built(void)
{
    return false;
}

int p3_landlock_version(void)
{
    return 0;
}

bool p3_landlock_begin(p3_landlock *l)
{
    *l = (p3_landlock){.fd = -1};
    errno = EOPNOTSUPP;
    return false;
}

bool p3_landlock_allow(const p3_landlock *l, const char *path, p3_access access)
{
    (void)l;
    (void)path;
    (void)access;
    return true;
}

bool p3_landlock_allow_port(const p3_landlock *l, uint16_t port)
{
    (void)l;
    (void)port;
    return true;
}

bool p3_landlock_allow_any_source(const p3_landlock *l)
{
    (void)l;
    return true;
}

bool p3_landlock_enter(const p3_landlock *l)
{
    (void)l;
    errno = EOPNOTSUPP;
    return false;
}

void p3_landlock_end(p3_landlock *l)
{
    l->fd = -1;
}

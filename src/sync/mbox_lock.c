/* Locks an mbox as other mail programs do. */
#include "sync/mbox_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "sync/outside.h"

#define P3_LOCK_TRIES 600 /* a tenth of a second each */

static void wait_a_little(void)
{
    struct timespec t = {.tv_nsec = 100000000};
    (void)nanosleep(&t, NULL);
}

/* A dotlock holds the number of its maker. When that is no longer running, nobody will remove it.
 */
static void remove_if_stale(const char *path)
{
    char text[32] = "";
    int fd = p3_outside_open(path, O_RDONLY | O_CLOEXEC, 0);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0)
        (void)close(fd);
    long pid = n > 0 ? strtol(text, NULL, 10) : 0;
    if (pid > 0 && !p3_outside_is_alive((pid_t)pid))
        (void)p3_outside_unlink(path);
}

/* A number that tells the lock of this host from that of another with the same process number. */
static unsigned long unique(void)
{
    unsigned long number = 0;
    ssize_t n = getrandom(&number, sizeof number, 0);
    (void)n; /* without it, a file of this name is a reason to fail */
    return number;
}

/* Makes the dotlock: under a name of its own first, so that it appears with its content. */
static bool take_dotlock(p3_mbox_lock *l, const char *path, p3_problem *why)
{
    size_t size = strlen(path) + 64;
    char *own = malloc(size);
    l->dotlock = malloc(size);
    if (own == NULL || l->dotlock == NULL) {
        free(own);
        free(l->dotlock);
        l->dotlock = NULL;
        return p3_problem_set(why, EX_OSERR, "out of memory");
    }
    snprintf(l->dotlock, size, "%s.lock", path);
    snprintf(own, size, "%s.pop3-lock-%ld-%lx", path, (long)getpid(), unique());
    int fd = p3_outside_open(own, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && dprintf(fd, "%ld\n", (long)getpid()) > 0;
    int error = errno;
    bool taken = false;
    for (int i = 0; ok && !taken && i < P3_LOCK_TRIES; i++) {
        taken = p3_outside_link(own, l->dotlock) == 0;
        error = errno;
        if (!taken && error != EEXIST)
            break;
        if (!taken) {
            remove_if_stale(l->dotlock);
            wait_a_little();
        }
    }
    if (fd >= 0) {
        (void)close(fd);
        (void)p3_outside_unlink(own);
    }
    free(own);
    if (taken)
        return true;
    free(l->dotlock);
    l->dotlock = NULL;
    if (error == EEXIST)
        return p3_problem_set(why, EX_TEMPFAIL, "locking %s: another program holds %s.lock", path,
                              path);
    return p3_problem_errno(why, error, "locking %s", path);
}

static bool take_fcntl(const p3_mbox_lock *l, const char *path, p3_problem *why)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    for (int i = 0; i < P3_LOCK_TRIES; i++) {
        if (fcntl(l->fd, F_OFD_SETLK, &lock) == 0)
            return true;
        if (errno != EACCES && errno != EAGAIN)
            return p3_problem_errno(why, errno, "locking %s", path);
        wait_a_little();
    }
    return p3_problem_set(why, EX_TEMPFAIL, "locking %s: another program has locked it", path);
}

bool p3_mbox_lock_take(p3_mbox_lock *l, const char *path, p3_problem *why)
{
    *l = (p3_mbox_lock){.fd = -1};
    if (!take_dotlock(l, path, why))
        return false;
    l->fd = p3_outside_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bool ok =
        l->fd >= 0 ? take_fcntl(l, path, why) : p3_problem_errno(why, errno, "opening %s", path);
    if (!ok)
        p3_mbox_lock_release(l);
    return ok;
}

void p3_mbox_lock_release(p3_mbox_lock *l)
{
    if (l->fd >= 0)
        (void)close(l->fd); /* takes the fcntl lock with it */
    if (l->dotlock != NULL)
        (void)p3_outside_unlink(l->dotlock);
    free(l->dotlock);
    *l = (p3_mbox_lock){.fd = -1};
}

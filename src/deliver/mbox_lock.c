/* Locks an mbox as other mail programs do. */
#include "deliver/mbox_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "deliver/mbox_files.h"
#include "confine/outside.h"
#include "system/boot.h"
#include "system/lock.h"

#define P3_LOCK_TRIES 600 /* a tenth of a second each */

/* A dotlock that does not tell whether its maker runs is stale after so many seconds. */
#define P3_LOCK_SECONDS 300

/* Seconds by which the clock may have been set since the boot. */
#define P3_CLOCK_SLACK 60

static void wait_a_little(void)
{
    struct timespec t = {.tv_nsec = 100000000};
    (void)nanosleep(&t, NULL);
}

/* The maker of a dotlock. Its first line is a process number, as in other programs; ours have a
 * second one, which identifies the system where that number is valid. */
typedef struct p3_lock_owner {
    long pid;        /* 0: unknown */
    char where[400]; /* "pop3 BOOT-ID PID-NAMESPACE HOST", or "" */
} p3_lock_owner;

/* Where our process numbers are valid: this boot of this host, and this namespace. */
static void find_where(char *out, size_t size)
{
    char boot[128];
    char host[256] = "";
    (void)gethostname(host, sizeof host - 1);
    p3_boot_identify(boot, sizeof boot);
    snprintf(out, size, "pop3 %s %s", boot, host);
}

static void read_owner(int fd, p3_lock_owner *owner)
{
    char text[sizeof owner->where + 32] = "";
    ssize_t n = read(fd, text, sizeof text - 1);
    *owner = (p3_lock_owner){.pid = n > 0 ? strtol(text, NULL, 10) : 0};
    const char *second = n > 0 ? strchr(text, '\n') : NULL;
    size_t len = second != NULL ? strcspn(second + 1, "\n") : 0;
    if (len > 0 && second[1 + len] != '\n')
        owner->pid = 0; /* it was cut, for instance by a power cut: its maker is unknown */
    else if (len > 0)
        snprintf(owner->where, sizeof owner->where, "%.*s", (int)len, second + 1);
}

/* Whether a file was last written before this system was booted, so that no process is left that
 * could remove it. With some slack, because the clock may have been set since. */
static bool is_before_boot(const struct stat *st)
{
    time_t boot;
    return p3_boot_time(&boot) && st->st_mtime + P3_CLOCK_SLACK < boot;
}

static bool is_ours(const p3_lock_owner *owner)
{
    return strncmp(owner->where, "pop3 ", 5) == 0;
}

/* Whether nobody will remove a dotlock: its maker runs no more. That of another host or namespace
 * cannot be asked about. What other programs make may be one, and gets some minutes. */
static bool is_stale(int fd, const p3_lock_owner *owner)
{
    char here[sizeof owner->where];
    struct stat st;
    find_where(here, sizeof here);
    if (fstat(fd, &st) != 0)
        return false;
    if (is_ours(owner) && strcmp(owner->where, here) != 0) {
        const char *host = strrchr(owner->where, ' ');
        return strcmp(host, strrchr(here, ' ')) == 0 && is_before_boot(&st);
    }
    bool dead = owner->pid <= 0 || !p3_outside_is_alive((pid_t)owner->pid);
    bool is_old = is_ours(owner) || st.st_mtime + P3_LOCK_SECONDS < time(NULL);
    return (dead && is_old) || is_before_boot(&st);
}

/* Locks the mbox for a moment: of two runs that find the same stale dotlock, the second would
 * remove the one that the first has created since. Returns a descriptor to close, -1 when there is
 * no mbox, or -2 when another program has locked it. */
static int claim(const char *mbox)
{
    int fd = p3_outside_open(mbox, O_RDWR | O_CLOEXEC, 0);
    if (fd < 0 || p3_lock_acquire(fd, 0, 0) == 0)
        return fd < 0 ? -1 : fd;
    (void)close(fd);
    return -2;
}

/* Removes a stale dotlock, or a file that was to become one; with `only_ours`, only one that is
 * known to be ours. Returns whether it did. */
static bool remove_if_stale(const char *mbox, const char *file, bool ours)
{
    p3_lock_owner owner;
    bool removed = false;
    int claimed = claim(mbox);
    int fd = claimed == -2 ? -1 : p3_outside_open(file, O_RDONLY | O_CLOEXEC, 0);
    if (fd >= 0) {
        read_owner(fd, &owner);
        if ((!ours || is_ours(&owner)) && is_stale(fd, &owner))
            removed = p3_outside_unlink(file) == 0;
        (void)close(fd);
    }
    if (claimed >= 0) {
        p3_lock_end(claimed);
        (void)close(claimed);
    }
    return removed;
}

void p3_mbox_lock_tidy(const char *path, const char *file)
{
    (void)remove_if_stale(path, file, strcmp(file + strlen(path), P3_DOTLOCK) == 0);
}

/* A number that distinguishes the lock of this host from that of another with the same process
 * number. */
static unsigned long unique(void)
{
    unsigned long number = 0;
    if (getentropy(&number, sizeof number) != 0)
        return 0; /* if a file of this name exists, creating it fails later */
    return number;
}

/* Creates the dotlock, first under a temporary name, so that it appears with its content. */
static bool take_dotlock(p3_mbox_lock *l, const char *path, p3_problem *why)
{
    size_t size = strlen(path) + 64;
    char *own = malloc(size);
    l->dotlock = malloc(size);
    if (own == NULL || l->dotlock == NULL) {
        free(own);
        free(l->dotlock);
        l->dotlock = NULL;
        return p3_problem_memory(why);
    }
    snprintf(l->dotlock, size, "%s" P3_DOTLOCK, path);
    snprintf(own, size, "%s" P3_MBOX_FILE_LOCK "%ld-%lx", path, (long)getpid(), unique());
    int fd = p3_outside_open(own, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    char here[sizeof((p3_lock_owner *)0)->where];
    find_where(here, sizeof here);
    /* Synced before it gets the lock's name: an empty one would lock for ever. */
    bool ok = fd >= 0 && dprintf(fd, "%ld\n%s\n", (long)getpid(), here) > 0 && fsync(fd) == 0;
    int error = errno;
    bool taken = false;
    for (int i = 0; ok && !taken && i < P3_LOCK_TRIES; i++) {
        taken = p3_outside_link(own, l->dotlock) == 0;
        error = errno;
        if (!taken && error != EEXIST)
            break;
        if (!taken && !remove_if_stale(path, l->dotlock, false))
            wait_a_little();
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

/* Whether an open file is still the one with that name. */
static bool is_still(int fd, const char *path)
{
    struct stat open_one;
    struct stat named;
    return fstat(fd, &open_one) == 0 && stat(path, &named) == 0 &&
           open_one.st_dev == named.st_dev && open_one.st_ino == named.st_ino;
}

/* Opens the mbox and locks it. A reader that had it locked may have replaced it, and nobody would
 * see what is appended to the old file. */
static bool take_fcntl(p3_mbox_lock *l, const char *path, p3_problem *why)
{
    for (int i = 0; i < P3_LOCK_TRIES; i++) {
        if (l->fd < 0)
            l->fd = p3_outside_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (l->fd < 0)
            return p3_problem_errno(why, errno, "opening %s", path);
        bool taken = p3_lock_acquire(l->fd, 0, 0) == 0;
        if (taken && is_still(l->fd, path))
            return true;
        if (!taken && errno != EACCES && errno != EAGAIN)
            return p3_problem_errno(why, errno, "locking %s", path);
        if (taken) {
            p3_lock_end(l->fd);
            (void)close(l->fd);
            l->fd = -1;
        } else {
            wait_a_little();
        }
    }
    return p3_problem_set(why, EX_TEMPFAIL, "locking %s: another program has locked it", path);
}

bool p3_mbox_lock_acquire(p3_mbox_lock *l, const char *path, p3_problem *why)
{
    *l = (p3_mbox_lock){.fd = -1};
    if (!take_dotlock(l, path, why))
        return false;
    bool ok = take_fcntl(l, path, why);
    if (!ok)
        p3_mbox_lock_release(l);
    return ok;
}

void p3_mbox_lock_release(p3_mbox_lock *l)
{
    if (l->fd >= 0) {
        p3_lock_end(l->fd);
        (void)close(l->fd); /* also releases the fcntl lock */
    }
    if (l->dotlock != NULL)
        (void)p3_outside_unlink(l->dotlock);
    free(l->dotlock);
    *l = (p3_mbox_lock){.fd = -1};
}

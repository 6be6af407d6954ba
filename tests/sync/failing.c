/* Calls of the C library that fail on demand, through the linker's --wrap. */
#include "failing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What a forked process counts and fails is ours too. */
typedef struct shared {
    atomic_ulong calls;
    _Atomic(const char *) hit;
    atomic_bool armed;
    failing how;
    unsigned long n;
} shared;

static shared *the;
static atomic_long allocations;

__attribute__((constructor)) static void share(void)
{
    the = mmap(NULL, sizeof *the, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (the == MAP_FAILED)
        abort();
}

void failing_arm(const failing *f, unsigned long n)
{
    the->how = *f;
    the->n = n;
    the->calls = 0;
    the->hit = NULL;
    the->armed = true;
}

const char *failing_disarm(void)
{
    the->armed = false;
    return the->hit;
}

bool failing_now(failing_how how, const char *name, int error)
{
    if (!the->armed || the->how.how != how)
        return false;
    unsigned long n = ++the->calls;
    if (n != the->n && !(the->how.from_there && n > the->n))
        return false;
    const char *none = NULL;
    (void)atomic_compare_exchange_strong(&the->hit, &none, name);
    errno = error;
    return true;
}

static bool fails(const char *name)
{
    return failing_now(FAILING_ERROR, name, the->how.error);
}

/* What a signal can interrupt, too. */
static bool fails_or_stops(const char *name)
{
    return fails(name) || failing_now(FAILING_INTERRUPTED, name, EINTR);
}

static size_t moved(const char *name, size_t size)
{
    return size > 1 && failing_now(FAILING_SHORT, name, 0) ? 1 : size;
}

long failing_allocations(void)
{
    return allocations;
}

/* ---- memory ---- */

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);
char *__real_strdup(const char *s);
char *__wrap_strdup(const char *s);
void __real_free(void *p);
void __wrap_free(void *p);

static void *counted(void *p)
{
    allocations += p != NULL;
    return p;
}

void *__wrap_malloc(size_t size)
{
    return failing_now(FAILING_ERROR, "malloc", ENOMEM) ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return failing_now(FAILING_ERROR, "calloc", ENOMEM) ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t size)
{
    if (failing_now(FAILING_ERROR, "realloc", ENOMEM))
        return NULL;
    return p == NULL ? counted(__real_realloc(p, size)) : __real_realloc(p, size);
}

char *__wrap_strdup(const char *s)
{
    return failing_now(FAILING_ERROR, "strdup", ENOMEM) ? NULL : counted(__real_strdup(s));
}

void __wrap_free(void *p)
{
    allocations -= p != NULL;
    __real_free(p);
}

/* ---- files ---- */

/* A stand-in that calls the real function, or fails as `failed` does. */
#define STAND_IN(type, name, parameters, arguments, failed)                                        \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return fails(#name) ? (failed) : __real_##name arguments;                                  \
    }

STAND_IN(int, fsync, (int fd), (fd), -1)
STAND_IN(int, fdatasync, (int fd), (fd), -1)
STAND_IN(int, syncfs, (int fd), (fd), -1)
STAND_IN(int, ftruncate64, (int fd, off_t size), (fd, size), -1)
STAND_IN(off_t, lseek64, (int fd, off_t to, int whence), (fd, to, whence), -1)
STAND_IN(int, fstat64, (int fd, struct stat *st), (fd, st), -1)
STAND_IN(int, mkostemp64, (char *path, int flags), (path, flags), -1)
STAND_IN(int, mkdir, (const char *path, mode_t mode), (path, mode), -1)
STAND_IN(int, link, (const char *from, const char *to), (from, to), -1)
STAND_IN(int, linkat, (int a, const char *from, int b, const char *to, int flags),
         (a, from, b, to, flags), -1)
STAND_IN(int, renameat2, (int a, const char *from, int b, const char *to, unsigned flags),
         (a, from, b, to, flags), -1)
STAND_IN(int, unlinkat, (int fd, const char *name, int flags), (fd, name, flags), -1)
STAND_IN(int, dup, (int fd), (fd), -1)
STAND_IN(DIR *, fdopendir, (int fd), (fd), NULL)
STAND_IN(DIR *, opendir, (const char *path), (path), NULL)
STAND_IN(struct dirent *, readdir64, (DIR * dir), (dir), NULL)
STAND_IN(int, uname, (struct utsname * u), (u), -1)
STAND_IN(int, memfd_create, (const char *name, unsigned flags), (name, flags), -1)
STAND_IN(int, pipe2, (int ends[2], int flags), (ends, flags), -1)
STAND_IN(int, socketpair, (int domain, int type, int protocol, int ends[2]),
         (domain, type, protocol, ends), -1)
STAND_IN(pid_t, fork, (void), (), -1)
STAND_IN(ssize_t, send, (int fd, const void *data, size_t len, int flags), (fd, data, len, flags),
         -1)

int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __real_openat64(int at, const char *path, int flags, ...);
int __wrap_openat64(int at, const char *path, int flags, ...);
int __real_fcntl64(int fd, int command, ...);
int __wrap_fcntl64(int fd, int command, ...);
int __wrap_dprintf(int fd, const char *format, ...);
int __real_close(int fd);
int __wrap_close(int fd);
ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);
ssize_t __real_read(int fd, void *out, size_t size);
ssize_t __wrap_read(int fd, void *out, size_t size);
ssize_t __real_pread64(int fd, void *out, size_t size, off_t offset);
ssize_t __wrap_pread64(int fd, void *out, size_t size, off_t offset);
ssize_t __real_recv(int fd, void *out, size_t size, int flags);
ssize_t __wrap_recv(int fd, void *out, size_t size, int flags);
ssize_t __real_recvmsg(int fd, struct msghdr *m, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *m, int flags);
pid_t __real_waitpid(pid_t pid, int *status, int options);
pid_t __wrap_waitpid(pid_t pid, int *status, int options);
int __wrap_nanosleep(const struct timespec *t, struct timespec *left);

int __wrap_open64(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(args, mode_t) : 0;
    va_end(args);
    return fails("open64") ? -1 : __real_open64(path, flags, mode);
}

int __wrap_openat64(int at, const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(args, mode_t) : 0;
    va_end(args);
    return fails("openat64") ? -1 : __real_openat64(at, path, flags, mode);
}

int __wrap_fcntl64(int fd, int command, ...)
{
    va_list args;
    va_start(args, command);
    void *lock = va_arg(args, void *); /* the only kind in use */
    va_end(args);
    return fails("fcntl64") ? -1 : __real_fcntl64(fd, command, lock);
}

__attribute__((format(printf, 2, 3))) int __wrap_dprintf(int fd, const char *format, ...)
{
    va_list args;
    if (fails("dprintf"))
        return -1;
    va_start(args, format);
    int n = vdprintf(fd, format, args);
    va_end(args);
    return n;
}

/* As Linux does: the descriptor is gone also when the call fails. */
int __wrap_close(int fd)
{
    int closed = __real_close(fd);
    return fails("close") ? -1 : closed;
}

static bool wakes_spared;

void failing_spare_wakes(void)
{
    wakes_spared = true;
}

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
    if (wakes_spared && len == 1)
        return __real_write(fd, data, len);
    return fails_or_stops("write") ? -1 : __real_write(fd, data, moved("write", len));
}

ssize_t __wrap_read(int fd, void *out, size_t size)
{
    return fails_or_stops("read") ? -1 : __real_read(fd, out, moved("read", size));
}

ssize_t __wrap_pread64(int fd, void *out, size_t size, off_t offset)
{
    return fails_or_stops("pread64") ? -1 : __real_pread64(fd, out, moved("pread64", size), offset);
}

/* ---- processes ---- */

ssize_t __wrap_recv(int fd, void *out, size_t size, int flags)
{
    return fails_or_stops("recv") ? -1 : __real_recv(fd, out, size, flags);
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *m, int flags)
{
    return fails_or_stops("recvmsg") ? -1 : __real_recvmsg(fd, m, flags);
}

pid_t __wrap_waitpid(pid_t pid, int *status, int options)
{
    return failing_now(FAILING_INTERRUPTED, "waitpid", EINTR)
               ? -1
               : __real_waitpid(pid, status, options);
}

/* Nobody waits. */
int __wrap_nanosleep(const struct timespec *t, struct timespec *left)
{
    (void)t;
    (void)left;
    return 0;
}

/* These return the error. */

#define STAND_IN_NUMBER(name, parameters, arguments)                                               \
    int __real_##name parameters;                                                                  \
    int __wrap_##name parameters;                                                                  \
    int __wrap_##name parameters                                                                   \
    {                                                                                              \
        return fails(#name) ? errno : __real_##name arguments;                                     \
    }

STAND_IN_NUMBER(posix_spawn,
                (pid_t * pid, const char *path, const posix_spawn_file_actions_t *files,
                 const posix_spawnattr_t *attr, char *const argv[], char *const env[]),
                (pid, path, files, attr, argv, env))
STAND_IN_NUMBER(posix_spawn_file_actions_init, (posix_spawn_file_actions_t * files), (files))
STAND_IN_NUMBER(posix_spawnattr_init, (posix_spawnattr_t * attr), (attr))
STAND_IN_NUMBER(posix_spawn_file_actions_adddup2,
                (posix_spawn_file_actions_t * files, int from, int to), (files, from, to))
STAND_IN_NUMBER(posix_spawn_file_actions_addopen,
                (posix_spawn_file_actions_t * files, int fd, const char *path, int flags,
                 mode_t mode),
                (files, fd, path, flags, mode))

int failing_descriptors(void)
{
    int count = 0;
    DIR *dir = __real_opendir("/proc/self/fd");
    while (dir != NULL && __real_readdir64(dir) != NULL)
        count++;
    if (dir != NULL)
        (void)closedir(dir);
    return count;
}

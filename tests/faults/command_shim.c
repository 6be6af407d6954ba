/* Calls that fail on demand in a program that was not linked for it: preloaded into the `pop3`
 * command (LD_PRELOAD). The environment says what fails:
 *
 *     FAULT_CALL    a name from the table below; nothing fails without it
 *     FAULT_NTH     which of its calls, from 1
 *     FAULT_ERRNO   with what, for sqlite-step one of SQLite's results; 0: the program is killed
 *                   there
 *     FAULT_SESSION set: only what comes after the account is locked counts
 *     FAULT_REPORT  a file that gets a line at the end: calls counted, whether one failed, and
 *                   how many allocations of the program itself are left
 *
 * Programs that the command starts are left alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* glibc's own, for before and beneath dlsym(). */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void __libc_free(void *p);

/* ---- what is to fail ---- */

static const char *chosen; /* FAULT_CALL */
static unsigned long nth;
static int error;

/* Calls counted from when on, and whether one failed. */
typedef struct tally {
    atomic_bool counts;
    atomic_ulong calls;
    atomic_bool hit;
} tally;

static tally own;           /* of this process */
static tally *sum = &own;   /* or of all of ours, where one makes the calls for another */
static atomic_bool is_over; /* the program has done its work */
static int report = -1;     /* a descriptor: the program gives up opening files */

/* From here on, nothing fails: a build that counts what is run (-Db_coverage=true) writes its
 * counts after this, by code that is part of the program and does not look whether it gets its
 * memory. */
static void over(void)
{
    atomic_store(&is_over, true);
}

/* Counts a call. True when it is to fail; errno is set. */
static bool fails(const char *call)
{
    if (chosen == NULL || !atomic_load(&sum->counts) || atomic_load(&is_over) ||
        strcmp(chosen, call) != 0)
        return false;
    unsigned long n = atomic_fetch_add(&sum->calls, 1) + 1;
    if (n == 1)
        (void)atexit(over); /* from main(): what is registered before it is called too late */
    if (n != nth)
        return false;
    atomic_store(&sum->hit, true);
    if (error == 0)
        (void)raise(SIGKILL);
    errno = error;
    return true;
}

/* ---- whose allocations ---- */

typedef struct range {
    uintptr_t from, to;
    const char *call; /* the name under which allocations from there fail */
} range;

static range ranges[16];
static size_t range_count;

static int add_ranges(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    bool *first = arg;
    const char *call =
        *first                                          ? "allocation"
        : strstr(info->dlpi_name, "libsqlite3") != NULL ? "sqlite-allocation"
        : strstr(info->dlpi_name, "libssl") != NULL || strstr(info->dlpi_name, "libcrypto") != NULL
            ? "openssl-allocation"
            : NULL;
    *first = false;
    for (size_t i = 0; call != NULL && i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type != PT_LOAD || (p->p_flags & PF_X) == 0 || range_count == 16)
            continue;
        uintptr_t from = (uintptr_t)(info->dlpi_addr + p->p_vaddr);
        ranges[range_count++] = (range){from, from + (uintptr_t)p->p_memsz, call};
    }
    return 0;
}

static const char *call_of(const void *caller)
{
    for (size_t i = 0; i < range_count; i++) {
        if ((uintptr_t)caller >= ranges[i].from && (uintptr_t)caller < ranges[i].to)
            return ranges[i].call;
    }
    return "other-allocation";
}

/* ---- the program's own allocations that are alive ---- */

enum { SLOTS = 1 << 16 };

static uintptr_t alive[SLOTS]; /* open addressing; 1 is a grave */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static long alive_count;

static size_t slot_of(uintptr_t p)
{
    return (size_t)((p >> 4) * 0x9E3779B97F4A7C15u >> 40) % SLOTS;
}

static void note(const void *p)
{
    pthread_mutex_lock(&mutex);
    size_t i = slot_of((uintptr_t)p);
    while (alive[i] > 1)
        i = (i + 1) % SLOTS;
    alive[i] = (uintptr_t)p;
    alive_count++;
    pthread_mutex_unlock(&mutex);
}

/* Notes what the program itself has allocated. */
static void *noted(void *p, const void *caller)
{
    if (p != NULL && range_count > 0 && strcmp(call_of(caller), "allocation") == 0)
        note(p);
    return p;
}

/* Whether it was among them. */
static bool forget(const void *p)
{
    bool found = false;
    if (p == NULL || range_count == 0)
        return false;
    pthread_mutex_lock(&mutex);
    for (size_t i = slot_of((uintptr_t)p), n = 0; alive[i] != 0 && n < SLOTS && !found;
         i = (i + 1) % SLOTS, n++) {
        found = alive[i] == (uintptr_t)p;
        if (found)
            alive[i] = 1;
    }
    alive_count -= found;
    pthread_mutex_unlock(&mutex);
    return found;
}

void *malloc(size_t size)
{
    const void *caller = __builtin_return_address(0);
    return chosen != NULL && fails(call_of(caller)) ? NULL : noted(__libc_malloc(size), caller);
}

void *calloc(size_t n, size_t size)
{
    const void *caller = __builtin_return_address(0);
    return chosen != NULL && fails(call_of(caller)) ? NULL : noted(__libc_calloc(n, size), caller);
}

void *realloc(void *old, size_t size)
{
    const void *caller = __builtin_return_address(0);
    if (chosen != NULL && fails(call_of(caller)))
        return NULL;
    bool ours = forget(old);
    void *p = __libc_realloc(old, size);
    if (p == NULL && ours)
        note(old);
    return noted(p, caller);
}

void free(void *p)
{
    (void)forget(p);
    __libc_free(p);
}

static char *copy(const char *s, size_t len, const void *caller)
{
    if (chosen != NULL && fails(call_of(caller)))
        return NULL;
    char *p = noted(__libc_malloc(len + 1), caller);
    if (p != NULL) {
        memcpy(p, s, len);
        p[len] = '\0';
    }
    return p;
}

char *strdup(const char *s)
{
    return copy(s, strlen(s), __builtin_return_address(0));
}

char *strndup(const char *s, size_t n)
{
    return copy(s, strnlen(s, n), __builtin_return_address(0));
}

/* ---- files ---- */

static atomic_int wakers[16]; /* pipes for one octet that do not block: it cannot fail */

static bool spared(int fd)
{
    for (size_t i = 0; i < sizeof wakers / sizeof *wakers; i++) {
        if (fd == atomic_load(&wakers[i]))
            return true;
    }
    return fd <= 2;
}

/* The function that stands behind ours. */
static void *next(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

static void spare(int fd)
{
    for (size_t i = 0; i < sizeof wakers / sizeof *wakers; i++) {
        int none = 0;
        if (atomic_compare_exchange_strong(&wakers[i], &none, fd))
            break;
    }
}

ssize_t read(int fd, void *buffer, size_t len)
{
    return !spared(fd) && fails("read") ? -1 : syscall(SYS_read, fd, buffer, len);
}

ssize_t write(int fd, const void *data, size_t len)
{
    return !spared(fd) && fails("write") ? -1 : syscall(SYS_write, fd, data, len);
}

ssize_t pread64(int fd, void *buffer, size_t len, off64_t at)
{
    return fails("pread") ? -1 : syscall(SYS_pread64, fd, buffer, len, at);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at)
{
    return fails("pwrite") ? -1 : syscall(SYS_pwrite64, fd, data, len, at);
}

static mode_t mode_of(int flags, va_list more)
{
    return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(more, mode_t) : 0;
}

int open64(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = mode_of(flags, more);
    va_end(more);
    return fails("open") ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

int openat64(int folder, const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    mode_t mode = mode_of(flags, more);
    va_end(more);
    return fails("openat") ? -1 : (int)syscall(SYS_openat, folder, path, flags, mode);
}

/* The descriptor is closed all the same, as Linux does it. */
int close(int fd)
{
    int result = (int)syscall(SYS_close, fd);
    return fails("close") ? -1 : result;
}

int fsync(int fd)
{
    return fails("fsync") ? -1 : (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    return fails("fdatasync") ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int syncfs(int fd)
{
    return fails("syncfs") ? -1 : (int)syscall(SYS_syncfs, fd);
}

int renameat2(int from, const char *a, int to, const char *b, unsigned int flags)
{
    return fails("renameat2") ? -1 : (int)syscall(SYS_renameat2, from, a, to, b, flags);
}

int linkat(int from, const char *a, int to, const char *b, int flags)
{
    return fails("linkat") ? -1 : (int)syscall(SYS_linkat, from, a, to, b, flags);
}

int unlinkat(int folder, const char *path, int flags)
{
    return fails("unlinkat") ? -1 : (int)syscall(SYS_unlinkat, folder, path, flags);
}

int unlink(const char *path)
{
    return fails("unlink") ? -1 : (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int mkdir(const char *path, mode_t mode)
{
    return fails("mkdir") ? -1 : (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

int ftruncate64(int fd, off64_t len)
{
    return fails("ftruncate") ? -1 : (int)syscall(SYS_ftruncate, fd, len);
}

off64_t lseek64(int fd, off64_t offset, int whence)
{
    return fails("lseek") ? -1 : syscall(SYS_lseek, fd, offset, whence);
}

int dup(int fd)
{
    return fails("dup") ? -1 : (int)syscall(SYS_dup, fd);
}

int fstat64(int fd, struct stat64 *out)
{
    int (*real)(int, struct stat64 *);
    *(void **)&real = next("fstat64");
    return fails("fstat") ? -1 : real(fd, out);
}

int fcntl64(int fd, int command, ...)
{
    va_list more;
    va_start(more, command);
    void *arg = va_arg(more, void *);
    va_end(more);
    if (command == F_OFD_SETLK) /* an account's lock; SQLite's are others */
        atomic_store(&sum->counts, true);
    /* A lock may be refused, and giving it back may not: SQLite would keep it for good. */
    bool unlocks = (command == F_SETLK || command == F_OFD_SETLK) &&
                   ((const struct flock *)arg)->l_type == F_UNLCK;
    return !unlocks && fails("fcntl") ? -1 : (int)syscall(SYS_fcntl, fd, command, arg);
}

/* ---- the network, threads, programs ---- */

ssize_t recv(int fd, void *buffer, size_t len, int flags)
{
    return fails("recv") ? -1 : syscall(SYS_recvfrom, fd, buffer, len, flags, NULL, NULL);
}

ssize_t send(int fd, const void *data, size_t len, int flags)
{
    return fails("send") ? -1 : syscall(SYS_sendto, fd, data, len, flags, NULL, 0);
}

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
    int (*real)(struct pollfd *, nfds_t, int);
    *(void **)&real = next("poll");
    return fails("poll") ? -1 : real(fds, n, timeout);
}

int connect(int fd, const struct sockaddr *at, socklen_t len)
{
    return fails("connect") ? -1 : (int)syscall(SYS_connect, fd, at, len);
}

int socket(int family, int type, int protocol)
{
    return fails("socket") ? -1 : (int)syscall(SYS_socket, family, type, protocol);
}

int pipe2(int ends[2], int flags)
{
    if (fails("pipe") || syscall(SYS_pipe2, ends, flags) != 0)
        return -1;
    if ((flags & O_NONBLOCK) != 0) {
        spare(ends[0]);
        spare(ends[1]);
    }
    return 0;
}

int getentropy(void *buffer, size_t len)
{
    return fails("getentropy") || syscall(SYS_getrandom, buffer, len, 0) != (long)len ? -1 : 0;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
    int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    *(void **)&real = next("pthread_create");
    return fails("thread") ? error : real(thread, attr, run, arg);
}

/* ---- SQLite ---- */

/* Only the program's own steps: what SQLite makes of those within sqlite3_exec() it takes from
 * elsewhere. The last one's result is what SQLite is asked about it. */
static atomic_bool step_failed;

int sqlite3_step(void *statement);
int sqlite3_errcode(void *db);
const char *sqlite3_errmsg(void *db);

int sqlite3_step(void *statement)
{
    int (*real)(void *);
    *(void **)&real = next("sqlite3_step");
    bool ours = strcmp(call_of(__builtin_return_address(0)), "allocation") == 0;
    atomic_store(&step_failed, ours && fails("sqlite-step"));
    return atomic_load(&step_failed) ? error : real(statement);
}

int sqlite3_errcode(void *db)
{
    int (*real)(void *);
    *(void **)&real = next("sqlite3_errcode");
    return atomic_load(&step_failed) ? error : real(db);
}

const char *sqlite3_errmsg(void *db)
{
    const char *(*real)(void *);
    *(void **)&real = next("sqlite3_errmsg");
    return atomic_load(&step_failed) ? "the step was made to fail" : real(db);
}

/* ---- beginning and end ---- */

/* Connections are made by the process outside of the sandbox. */
static bool is_made_outside(const char *call)
{
    return call != NULL && strcmp(call, "connect") == 0;
}

/* The process outside is left alone but for that. */
static void leave_alone(void)
{
    if (!is_made_outside(chosen))
        chosen = NULL;
    report = -1;
}

/* After 3.0, OpenSSL deadlocks where memory lacks within its very first call: that is initialized
 * once, and noting the error waits for the initialization it is in. There, what comes later fails.
 */
static void initialize_openssl(void)
{
    unsigned long (*version)(void);
    int (*initialize)(uint64_t, const void *);
    *(void **)&version = dlsym(RTLD_DEFAULT, "OpenSSL_version_num");
    *(void **)&initialize = dlsym(RTLD_DEFAULT, "OPENSSL_init_crypto");
    if (version != NULL && initialize != NULL && version() >= 0x30100000)
        (void)initialize(2, NULL); /* OPENSSL_INIT_LOAD_CRYPTO_STRINGS */
}

__attribute__((constructor)) static void begin(void)
{
    bool first = true;
    const char *path = getenv("FAULT_REPORT");
    const char *n = getenv("FAULT_NTH");
    const char *e = getenv("FAULT_ERRNO");
    if (path == NULL)
        return; /* a program that the command started */
    dl_iterate_phdr(add_ranges, &first);
    report =
        (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    pthread_atfork(NULL, NULL, leave_alone);
    initialize_openssl();
    nth = n != NULL ? strtoul(n, NULL, 10) : 0;
    error = e != NULL ? (int)strtol(e, NULL, 10) : EIO;
    chosen = getenv("FAULT_CALL");
    if (is_made_outside(chosen)) {
        void *shared =
            mmap(NULL, sizeof *sum, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        sum = shared != MAP_FAILED ? shared : sum;
    }
    atomic_store(&sum->counts, getenv("FAULT_SESSION") == NULL);
    unsetenv("FAULT_REPORT");
    unsetenv("LD_PRELOAD");
}

__attribute__((destructor)) static void end(void)
{
    char line[100];
    chosen = NULL;
    if (report < 0)
        return;
    int len = snprintf(line, sizeof line, "%lu %d %ld\n", atomic_load(&sum->calls),
                       atomic_load(&sum->hit), alive_count);
    (void)!syscall(SYS_write, report, line, len);
}

/* Calls that fail on demand, through the linker's --wrap. */
#define _GNU_SOURCE /* pipe2() */
#include "faults/faults.h"

#include <errno.h>
#include <netdb.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static fault present;
static unsigned long present_n;
static atomic_bool armed;
static atomic_bool hit;
static atomic_ulong calls[FAULT_CALLS];
static atomic_long allocations;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);
char *__real_strdup(const char *s);
char *__wrap_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
char *__wrap_strndup(const char *s, size_t n);
void __real_free(void *p);
void __wrap_free(void *p);
ssize_t __real_recv(int fd, void *buffer, size_t len, int flags);
ssize_t __wrap_recv(int fd, void *buffer, size_t len, int flags);
ssize_t __real_send(int fd, const void *data, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *data, size_t len, int flags);
int __real_poll(struct pollfd *fds, nfds_t n, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout);
int __real_connect(int fd, const struct sockaddr *at, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *at, socklen_t len);
int __real_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol);
int __real_bind(int fd, const struct sockaddr *at, socklen_t len);
int __wrap_bind(int fd, const struct sockaddr *at, socklen_t len);
int __real_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int __real_pipe2(int ends[2], int flags);
int __wrap_pipe2(int ends[2], int flags);
int __real_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **list);
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **list);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
                          void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
                          void *arg);

/* Counts a call. True when it is to fail; errno is set. */
static bool fails(fault_call call)
{
    unsigned long n = atomic_fetch_add(&calls[call], 1) + 1;
    if (!atomic_load(&armed) || present.call != call || present_n == 0)
        return false;
    bool now = (present.extent == FAULT_ONCE && n == present_n) ||
               (present.extent == FAULT_FROM_THERE && n >= present_n) ||
               (present.extent == FAULT_EVERY_OTHER && n % 2 == 1);
    if (!now)
        return false;
    atomic_store(&hit, true);
    errno = present.error;
    return true;
}

bool faults_now(fault_call call)
{
    return fails(call);
}

static void *counted(void *p)
{
    if (p != NULL)
        atomic_fetch_add(&allocations, 1);
    return p;
}

void *__wrap_malloc(size_t size)
{
    return fails(FAULT_ALLOCATION) ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails(FAULT_ALLOCATION) ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t size)
{
    if (fails(FAULT_ALLOCATION))
        return NULL;
    return p == NULL ? counted(__real_realloc(p, size)) : __real_realloc(p, size);
}

char *__wrap_strdup(const char *s)
{
    return fails(FAULT_ALLOCATION) ? NULL : counted(__real_strdup(s));
}

char *__wrap_strndup(const char *s, size_t n)
{
    return fails(FAULT_ALLOCATION) ? NULL : counted(__real_strndup(s, n));
}

void __wrap_free(void *p)
{
    if (p != NULL)
        atomic_fetch_sub(&allocations, 1);
    __real_free(p);
}

static void *openssl_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return fails(FAULT_OPENSSL_ALLOCATION) ? NULL : __real_malloc(size);
}

static void *openssl_realloc(void *p, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return fails(FAULT_OPENSSL_ALLOCATION) ? NULL : __real_realloc(p, size);
}

static void openssl_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    __real_free(p);
}

ssize_t __wrap_recv(int fd, void *buffer, size_t len, int flags)
{
    if (!fails(FAULT_RECV))
        return __real_recv(fd, buffer, len, flags);
    if (present.one_octet)
        return __real_recv(fd, buffer, len > 0 ? 1 : 0, flags);
    return present.at_end ? 0 : -1;
}

ssize_t __wrap_send(int fd, const void *data, size_t len, int flags)
{
    if (!fails(FAULT_SEND))
        return __real_send(fd, data, len, flags);
    return present.one_octet ? __real_send(fd, data, len > 0 ? 1 : 0, flags) : -1;
}

int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout)
{
    return fails(FAULT_POLL) ? -1 : __real_poll(fds, n, timeout);
}

int __wrap_connect(int fd, const struct sockaddr *at, socklen_t len)
{
    return fails(FAULT_CONNECT) ? -1 : __real_connect(fd, at, len);
}

int __wrap_socket(int family, int type, int protocol)
{
    return fails(FAULT_SOCKET) ? -1 : __real_socket(family, type, protocol);
}

int __wrap_bind(int fd, const struct sockaddr *at, socklen_t len)
{
    return fails(FAULT_BIND) ? -1 : __real_bind(fd, at, len);
}

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
    return fails(FAULT_GETSOCKOPT) ? -1 : __real_getsockopt(fd, level, name, value, len);
}

int __wrap_pipe2(int ends[2], int flags)
{
    return fails(FAULT_PIPE) ? -1 : __real_pipe2(ends, flags);
}

int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                       struct addrinfo **list)
{
    return fails(FAULT_GETADDRINFO) ? present.error : __real_getaddrinfo(host, port, hints, list);
}

/* Threads: their end can be waited for. */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;
static unsigned running;

typedef struct job {
    void *(*run)(void *);
    void *arg;
} job;

static void *run_job(void *arg)
{
    job j = *(job *)arg;
    __real_free(arg);
    void *result = j.run(j.arg);
    pthread_mutex_lock(&lock);
    running--;
    pthread_cond_signal(&ended);
    pthread_mutex_unlock(&lock);
    return result;
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
                          void *arg)
{
    if (fails(FAULT_THREAD))
        return present.error;
    job *j = __real_malloc(sizeof *j);
    if (j == NULL)
        return EAGAIN;
    *j = (job){.run = run, .arg = arg};
    pthread_mutex_lock(&lock);
    running++;
    pthread_mutex_unlock(&lock);
    int error = __real_pthread_create(thread, attr, run_job, j);
    if (error != 0) {
        pthread_mutex_lock(&lock);
        running--;
        pthread_mutex_unlock(&lock);
        __real_free(j);
    }
    return error;
}

bool faults_threads_ended(void)
{
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 20;
    int error = 0;
    pthread_mutex_lock(&lock);
    while (running > 0 && error == 0)
        error = pthread_cond_timedwait(&ended, &lock, &deadline);
    pthread_mutex_unlock(&lock);
    return error == 0;
}

bool faults_install(void)
{
    return CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) == 1;
}

void faults_arm(const fault *f, unsigned long n)
{
    present = *f;
    present_n = n;
    for (size_t i = 0; i < FAULT_CALLS; i++)
        atomic_store(&calls[i], 0);
    atomic_store(&hit, false);
    atomic_store(&armed, true);
}

bool faults_disarm(void)
{
    atomic_store(&armed, false);
    return atomic_load(&hit);
}

unsigned long faults_calls(fault_call call)
{
    return atomic_load(&calls[call]);
}

long faults_allocations(void)
{
    return atomic_load(&allocations);
}

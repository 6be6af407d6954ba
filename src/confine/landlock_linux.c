/* Landlock by its system calls: the C library has no functions for them, and <linux/landlock.h> of
 * older systems lacks what their kernels support. The numbers are the kernel's interface and do not
 * change. */
#include "confine/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444 /* the same on every architecture */
#define SYS_landlock_add_rule       445
#define SYS_landlock_restrict_self  446
#endif

/* What can be forbidden about files. */
enum {
    EXECUTE = 1 << 0,
    WRITE_FILE = 1 << 1,
    READ_FILE = 1 << 2,
    READ_DIR = 1 << 3,
    REMOVE_FILE = 1 << 5,
    MAKE_REG = 1 << 8,
    ALL_OF_VERSION_1 = (1 << 13) - 1,
    REFER = 1 << 13,    /* renaming to another directory: since version 2 */
    TRUNCATE = 1 << 14, /* 3 */
    IOCTL_DEV = 1 << 15 /* 5 */
};

/* TCP rights, since version 4; since 6, signals and abstract Unix-domain sockets to processes
 * outside. */
enum { BIND_TCP = 1 << 0, CONNECT_TCP = 1 << 1 };
enum { SCOPE_ABSTRACT_UNIX = 1 << 0, SCOPE_SIGNAL = 1 << 1 };

enum { GET_VERSION = 1 };                 /* a flag of landlock_create_ruleset() */
enum { RULE_BENEATH = 1, RULE_PORT = 2 }; /* kinds of rules */

/* struct landlock_ruleset_attr. Older kernels accept it if the rest is zero. */
typedef struct p3_ruleset {
    uint64_t files;
    uint64_t network;
    uint64_t scoped;
} p3_ruleset;

/* struct landlock_path_beneath_attr, which is packed. */
typedef struct __attribute__((packed)) p3_beneath {
    uint64_t allowed;
    int32_t folder;
} p3_beneath;

/* struct landlock_net_port_attr. */
typedef struct p3_port {
    uint64_t allowed;
    uint64_t port;
} p3_port;

bool p3_landlock_is_built(void)
{
    return true;
}

int p3_landlock_version(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, GET_VERSION);
    /* Version 1 forbids renaming between directories without a way to permit it, and a Maildir
     * needs that. ENOSYS, EOPNOTSUPP, or a container's EPERM: no Landlock. */
    return version >= 2 ? (int)version : 0;
}

/* What this version can forbid. */
static uint64_t all_of(int version)
{
    return (uint64_t)ALL_OF_VERSION_1 | REFER | (version >= P3_LANDLOCK_TRUNCATE ? TRUNCATE : 0) |
           (version >= 5 ? IOCTL_DEV : 0);
}

bool p3_landlock_begin(p3_landlock *l)
{
    *l = (p3_landlock){.version = p3_landlock_version(), .fd = -1};
    p3_ruleset rules = {.files = all_of(l->version)};
    if (l->version == 0) {
        errno = EOPNOTSUPP;
        return false;
    }
    l->ports = l->version >= P3_LANDLOCK_PORTS;
    if (l->ports)
        rules.network = BIND_TCP | CONNECT_TCP;
    if (l->version >= 6)
        rules.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
    l->handled = rules.files;
    l->fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
    return l->fd >= 0;
}

static uint64_t rights(p3_access access)
{
    switch (access) {
    case P3_ACCESS_WRITE:
        return READ_FILE | READ_DIR | WRITE_FILE | TRUNCATE | MAKE_REG | REMOVE_FILE | REFER;
    case P3_ACCESS_ALL:
        return UINT64_MAX;
    case P3_ACCESS_DEVICE:
        return READ_FILE | WRITE_FILE | IOCTL_DEV;
    default:
        return READ_FILE | READ_DIR;
    }
}

bool p3_landlock_allow(const p3_landlock *l, const char *path, p3_access access)
{
    struct stat st;
    p3_beneath rule = {.allowed = rights(access) & l->handled};
    if (rule.allowed == 0)
        return true;
    rule.folder = open(path, O_PATH | O_CLOEXEC);
    if (rule.folder < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ENXIO;
    bool ok = fstat(rule.folder, &st) == 0;
    if (ok && !S_ISDIR(st.st_mode))
        rule.allowed &= READ_FILE | WRITE_FILE | TRUNCATE | IOCTL_DEV;
    if (ok && rule.allowed != 0)
        /* EBADFD: a pipe or similar, to which rules do not apply. */
        ok = syscall(SYS_landlock_add_rule, l->fd, RULE_BENEATH, &rule, 0) == 0 || errno == EBADFD;
    int error = errno;
    (void)close(rule.folder);
    errno = error;
    return ok;
}

static bool allow_port(const p3_landlock *l, uint64_t what, uint16_t port)
{
    p3_port rule = {.allowed = what, .port = port};
    return !l->ports || syscall(SYS_landlock_add_rule, l->fd, RULE_PORT, &rule, 0) == 0;
}

bool p3_landlock_allow_port(const p3_landlock *l, uint16_t port)
{
    return allow_port(l, CONNECT_TCP, port);
}

bool p3_landlock_allow_any_source(const p3_landlock *l)
{
    return allow_port(l, BIND_TCP, 0); /* a port of the kernel's choice */
}

bool p3_landlock_enter(const p3_landlock *l)
{
    return syscall(SYS_landlock_restrict_self, l->fd, 0) == 0;
}

void p3_landlock_end(p3_landlock *l)
{
    if (l->fd >= 0)
        (void)close(l->fd);
    l->fd = -1;
}

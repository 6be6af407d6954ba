/* What the command gives up before it speaks to a server, and what it keeps because it is needed.
 */
#include "cli/sandbox.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/config.h"
#include "cli/landlock.h"
#include "cli/syscall_filter.h"
#include "cli/text.h"
#include "sync/delivery.h"
#include "sync/runner.h"

#define P3_DNS_PORT 53

/* What the C library, the resolver and OpenSSL open while they work: libraries such as those of NSS
 * and iconv, their data, and how this system looks names up. */
static const char *const system_places[] = {
    "/usr", "/lib", "/lib64", "/opt", "/nix/store", "/gnu/store",
    /* certificates */
    "/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/etc/crypto-policies",
    /* names */
    "/etc/resolv.conf", "/etc/nsswitch.conf", "/etc/hosts", "/etc/host.conf", "/etc/gai.conf",
    "/etc/networks", "/etc/services", "/etc/protocols", "/run/systemd/resolve", "/run/resolvconf",
    "/run/NetworkManager", "/run/nscd",
    /* the rest */
    "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/etc/timezone",
    "/proc/self", "/proc/sys", "/sys/devices/system/cpu", "/dev/urandom", "/dev/random"};

/* Where the descriptions of terminals are, for `pop3 shell`. */
static const char *const terminal_places[] = {"/etc/terminfo", "/etc/inputrc"};

/* ---- commands ---- */

static const char *command_of(const p3_account *a)
{
    bool has = a->target != NULL && strncmp(a->target, "command:", 8) == 0;
    return has ? a->target + 8 : NULL;
}

static bool add_command(p3_sandbox *s, const char *command)
{
    if (command == NULL)
        return true;
    char *copy = strdup(command);
    if (copy != NULL)
        s->commands[s->command_count++] = copy;
    return copy != NULL;
}

/* All that may be run: how to get the secret, and with mail the filter and the target. */
static bool gather_commands(p3_sandbox *s)
{
    size_t count = s->chosen->count;
    bool ok = true;
    s->commands = calloc(3 * count + 1, sizeof *s->commands);
    if (s->commands == NULL)
        return false;
    for (size_t i = 0; ok && i < count; i++) {
        const p3_local_account *a = &s->chosen->at[i];
        if (a->account.unusable.exit != 0)
            continue;
        char *secret = p3_secret_command(&a->secret);
        ok = add_command(s, secret);
        free(secret);
        if (s->delivers)
            ok = ok && add_command(s, a->account.filter) && add_command(s, command_of(&a->account));
    }
    return ok;
}

void p3_sandbox_prepare(p3_sandbox *s)
{
    snprintf(s->report, sizeof s->report, "off");
    if (s->off)
        return;
    bool ok = gather_commands(s);
    if (ok && s->command_count > 0)
        ok = p3_runner_start((const char *const *)s->commands, s->command_count);
    if (ok)
        return;
    s->off = true;
    snprintf(s->report, sizeof s->report, "off: no process to run commands: %s", strerror(errno));
}

void p3_sandbox_end(p3_sandbox *s)
{
    p3_runner_stop();
    while (s->command_count > 0)
        free(s->commands[--s->command_count]);
    free(s->commands);
    s->commands = NULL;
}

/* ---- files ---- */

/* Allows to read what is at a folder and a name below it; a folder of NULL has nothing. */
static bool allow_below(const p3_landlock *l, const char *folder, const char *name,
                        p3_access access)
{
    char *path = folder != NULL ? p3_text_join(folder, name, NULL) : NULL;
    bool ok = folder == NULL || (path != NULL && p3_landlock_allow(l, path, access));
    free(path);
    return ok;
}

/* Allows to write a file, and beside it, where its lock and its journal are. */
static bool allow_with_folder(const p3_landlock *l, const char *file)
{
    const char *slash = strrchr(file, '/');
    size_t len = slash != NULL ? (size_t)(slash - file) : 1;
    char *folder = slash == file ? strdup("/") : strndup(slash != NULL ? file : ".", len);
    bool ok = folder != NULL && p3_landlock_allow(l, folder, P3_ACCESS_WRITE);
    free(folder);
    return ok;
}

/* The same; when the file is a link, also where that leads. */
static bool allow_file(const p3_landlock *l, const char *file)
{
    struct stat st;
    bool ok = allow_with_folder(l, file);
    if (!ok || lstat(file, &st) != 0 || !S_ISLNK(st.st_mode))
        return ok;
    char *real = realpath(file, NULL);
    ok = real == NULL || allow_with_folder(l, real);
    free(real);
    return ok;
}

/* Where a target's Maildir is, or NULL when it is none. */
static const char *maildir_of(const char *target)
{
    bool is = target != NULL && strncmp(target, "maildir:", 8) == 0;
    return is ? target + 8 : NULL;
}

/* A Maildir's three folders, wherever they are. Where the filter of system calls is in place all
 * may be done below them: what it cannot refuse is to make a socket there, which does no harm. */
static bool allow_maildir(const p3_sandbox *s, const p3_landlock *l, const char *path)
{
    p3_access access = s->filters ? P3_ACCESS_ALL : P3_ACCESS_WRITE;
    return allow_below(l, path, "/cur", access) && allow_below(l, path, "/new", access) &&
           allow_below(l, path, "/tmp", access);
}

static bool allow_target(const p3_sandbox *s, const p3_landlock *l, const char *target)
{
    const char *maildir = maildir_of(target);
    if (maildir != NULL)
        return allow_maildir(s, l, maildir);
    if (strncmp(target, "mbox:", 5) == 0)
        return allow_file(l, target + 5);
    const char *spool = getenv("TMPDIR"); /* as in sync/command.c */
    return p3_landlock_allow(l, spool != NULL && spool[0] == '/' ? spool : "/tmp", P3_ACCESS_WRITE);
}

/* A folder of authorities: its files are often links to where they really are. */
static bool allow_authorities(const p3_landlock *l, const char *folder)
{
    bool ok = p3_landlock_allow(l, folder, P3_ACCESS_READ);
    DIR *dir = opendir(folder);
    const struct dirent *e;
    while (ok && dir != NULL && (e = readdir(dir)) != NULL) {
        char *path = e->d_type == DT_LNK ? p3_text_join(folder, "/", e->d_name, NULL) : NULL;
        ok = path == NULL || p3_landlock_allow(l, path, P3_ACCESS_READ);
        free(path);
    }
    if (dir != NULL)
        (void)closedir(dir);
    return ok;
}

/* What an account reads while it is worked on: its certificates were read when TLS was prepared. */
static bool allow_account(const p3_sandbox *s, const p3_landlock *l, const p3_local_account *a)
{
    const p3_settings *set = &a->settings;
    bool ok = true;
    if (set->password_file != NULL)
        ok = p3_landlock_allow(l, set->password_file, P3_ACCESS_READ);
    if (set->netrc != NULL)
        ok = ok && p3_landlock_allow(l, set->netrc, P3_ACCESS_READ);
    if (set->ca_dir != NULL && !s->stays)
        ok = ok && allow_authorities(l, set->ca_dir);
    if (s->delivers && a->account.target != NULL)
        ok = ok && allow_target(s, l, a->account.target);
    return ok;
}

/* What OpenSSL was told in the environment. */
static bool allow_environment(const p3_landlock *l)
{
    const char *set = getenv("SSL_CERT_DIR");
    char *list = set != NULL ? strdup(set) : NULL;
    char *rest = NULL;
    bool ok = set == NULL || list != NULL;
    const char *at = list != NULL ? strtok_r(list, ":", &rest) : NULL;
    for (; ok && at != NULL; at = strtok_r(NULL, ":", &rest))
        ok = p3_landlock_allow(l, at, P3_ACCESS_READ);
    free(list);
    return ok;
}

/* What libedit reads and writes for a person at a terminal. */
static bool allow_editing(const p3_landlock *l)
{
    const char *home = getenv("HOME");
    const char *described = getenv("TERMINFO");
    const char *bound = getenv("EDITRC");
    char *history = p3_home_path("XDG_STATE_HOME", ".local/state", "history");
    bool ok = allow_below(l, home, "/.editrc", P3_ACCESS_READ) &&
              allow_below(l, home, "/.terminfo", P3_ACCESS_READ) &&
              allow_below(l, described, "", P3_ACCESS_READ) &&
              allow_below(l, bound, "", P3_ACCESS_READ) &&
              (history == NULL || allow_with_folder(l, history));
    for (size_t i = 0; ok && i < sizeof terminal_places / sizeof *terminal_places; i++)
        ok = p3_landlock_allow(l, terminal_places[i], P3_ACCESS_READ);
    free(history);
    return ok;
}

static bool allow_files(const p3_sandbox *s, const p3_landlock *l, const char *const *more,
                        size_t count)
{
    bool ok = p3_landlock_allow(l, "/dev/null", P3_ACCESS_DEVICE) &&
              p3_landlock_allow(l, "/dev/tty", P3_ACCESS_DEVICE) &&
              allow_below(l, getenv("HOME"), "/.netrc", P3_ACCESS_READ) && allow_environment(l);
    for (size_t i = 0; ok && i < sizeof system_places / sizeof *system_places; i++)
        ok = p3_landlock_allow(l, system_places[i], P3_ACCESS_READ);
    for (size_t i = 0; ok && i < s->chosen->count; i++) {
        if (s->chosen->at[i].account.unusable.exit == 0)
            ok = allow_account(s, l, &s->chosen->at[i]);
    }
    for (size_t i = 0; ok && i < count; i++)
        ok = allow_target(s, l, more[i]);
    if (ok && s->state != NULL)
        ok = allow_file(l, s->state);
    if (ok && s->edits_lines)
        ok = allow_editing(l);
#ifdef P3_ALSO_READABLE
    ok = ok && p3_landlock_allow(l, P3_ALSO_READABLE, P3_ACCESS_READ);
#endif
#ifdef P3_ALSO_WRITABLE
    ok = ok && p3_landlock_allow(l, P3_ALSO_WRITABLE, P3_ACCESS_WRITE);
#endif
    return ok;
}

/* ---- the network ---- */

static bool allow_ports(const p3_sandbox *s, const p3_landlock *l)
{
    bool ok = p3_landlock_allow_port(l, P3_DNS_PORT); /* for answers too long for UDP */
    for (size_t i = 0; ok && i < s->chosen->count; i++) {
        const pop3_client_options *o = &s->chosen->at[i].account.connection;
        uint16_t usual = o->security == POP3_SECURITY_TLS ? POP3_TLS_PORT : POP3_PORT;
        uint16_t port = o->port != 0 ? o->port : usual;
        ok = p3_landlock_allow_port(l, o->proxy != POP3_PROXY_NONE ? o->proxy_port : port);
        if (o->local_address != NULL)
            ok = ok && p3_landlock_allow_any_source(l);
    }
    return ok;
}

/* ---- entering ---- */

static bool is_there(const char *folder, const char *name)
{
    struct stat st;
    char *path = p3_text_join(folder, name, NULL);
    bool there = path != NULL && stat(path, &st) == 0;
    free(path);
    return there;
}

/* Makes what is missing of the Maildirs, as no folder can be made inside. By who makes it best, and
 * tells later what stands in the way. */
static void make_maildirs(const p3_sandbox *s)
{
    for (size_t i = 0; i < s->chosen->count && s->delivers && !s->dry_run; i++) {
        const p3_account *a = &s->chosen->at[i].account;
        const char *path = maildir_of(a->target);
        p3_problem later;
        if (a->unusable.exit != 0 || path == NULL)
            continue;
        bool whole = is_there(path, "/tmp") && is_there(path, "/new") && is_there(path, "/cur");
        p3_delivery *d = whole ? NULL : p3_maildir_open(path, &later);
        if (d != NULL)
            d->class->close(d);
    }
}

/* Kerberos reads and connects as its configuration says, and keeps its tickets in many places. */
static bool uses_kerberos(const p3_chosen *chosen)
{
    for (size_t i = 0; i < chosen->count; i++) {
        const char *mechanism = chosen->at[i].account.mechanism;
        if (mechanism != NULL && strcasecmp(mechanism, "GSSAPI") == 0)
            return true;
    }
    return false;
}

/* Whether a name must be looked up to connect. */
static bool looks_up(const pop3_client_options *o)
{
    unsigned char room[sizeof(struct in6_addr)];
    const char *host = o->proxy != POP3_PROXY_NONE ? o->proxy_host : o->host;
    return o->unix_socket == NULL && host != NULL && inet_pton(AF_INET, host, room) != 1 &&
           inet_pton(AF_INET6, host, room) != 1;
}

/* What the filter of system calls must leave. */
static p3_filter_needs needs_of(const p3_sandbox *s)
{
    p3_filter_needs needs = {.helper = s->command_count > 0, .kerberos = uses_kerberos(s->chosen)};
    for (size_t i = 0; i < s->chosen->count; i++) {
        const pop3_client_options *o = &s->chosen->at[i].account.connection;
        needs.unix_sockets = needs.unix_sockets || o->unix_socket != NULL;
        needs.names = needs.names || looks_up(o);
        needs.source = needs.source || o->local_address != NULL;
    }
    return needs;
}

/* Restricts files and ports. Returns Landlock's version, or 0 with why not. */
static int restrict_files(const p3_sandbox *s, const char *const *more, size_t count,
                          const char **why)
{
    p3_landlock l;
    bool ok = p3_landlock_begin(&l, s->stays) && allow_files(s, &l, more, count) &&
              allow_ports(s, &l) && p3_landlock_enter(&l);
    *why = l.version == 0 ? "this kernel has no Landlock, or an old one" : strerror(errno);
    p3_landlock_end(&l);
    return ok ? l.version : 0;
}

/* The system calls of Landlock are not on the filter's list, so that it comes first; and what it
 * allows depends on whether the filter will be there. */
static void enter(p3_sandbox *s, const char *const *more, size_t count)
{
    const p3_filter_needs needs = needs_of(s);
    const char *no_files = "Kerberos needs them";
    const char *no_calls = NULL;
    char files[100];
    s->is_entered = true;
    make_maildirs(s);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); /* without it what follows fails, and says so */
    s->filters = p3_filter_is_there(&no_calls);
    int version = needs.kerberos ? 0 : restrict_files(s, more, count, &no_files);
    s->filters = s->filters && p3_filter_system_calls(&needs, &no_calls);
    if (version > 0)
        snprintf(files, sizeof files, "files%s%s%s (Landlock %d)", s->stays ? " to write" : "",
                 version >= P3_LANDLOCK_TRUNCATE ? "" : " but for their truncation",
                 version >= P3_LANDLOCK_PORTS ? " and ports" : "", version);
    else
        snprintf(files, sizeof files, "not files (%s)", no_files);
    snprintf(s->report, sizeof s->report, "restricted: %s, %ssystem calls (%s)", files,
             s->filters ? "" : "not ", s->filters ? "seccomp" : no_calls);
    s->is_whole = version >= P3_LANDLOCK_TRUNCATE && s->filters;
}

void p3_sandbox_enter(void *sandbox, const char *const *more, size_t count)
{
    p3_sandbox *s = sandbox;
    if (!s->off && !s->is_entered)
        enter(s, more, count);
    if (s->is_told)
        fprintf(stderr, "pop3: sandbox: %s\n", s->report);
}

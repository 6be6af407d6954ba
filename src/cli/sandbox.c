/* The command's sandbox: what it gives up and what it keeps. */
#include "cli/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "settings/config.h"
#include "cli/output.h"
#include "confine/syscall_filter.h"
#include "settings/text.h"
#include "deliver/gmail_options.h"
#include "deliver/target.h"
#include "system/process.h"

/* ---- the network ---- */

/* Google's, or a proxy's, or both. */
static bool allow_gmail_ports(const p3_landlock *l, const p3_gmail_options *o)
{
    bool ok = p3_landlock_allow_port(l, o->dialed[0].port);
    return ok && (o->dialed[1].host[0] == '\0' || p3_landlock_allow_port(l, o->dialed[1].port));
}

/* Permits the port of a target that is reached over TCP. Its name is looked up outside; Unix-domain
 * sockets are connected there. */
static bool allow_target_port(const p3_sandbox *s, const p3_landlock *l, const p3_target *t)
{
    p3_server_address address;
    const p3_target_row *row = s->delivers ? p3_target_row_of(t->kind) : NULL;
    if (row != NULL && row->kind == P3_TARGET_GMAIL)
        return t->envelope == NULL || t->envelope->gmail == NULL ||
               allow_gmail_ports(l, t->envelope->gmail);
    if (row == NULL || !p3_target_server(t, &address))
        return true;
    return address.path != NULL || p3_landlock_allow_port(l, address.port);
}

static bool allow_ports(const p3_sandbox *s, const p3_landlock *l)
{
    bool ok = true;
    for (size_t i = 0; ok && i < s->chosen->count; i++) {
        const pop3_client_options *o = &s->chosen->at[i].account.connection;
        uint16_t usual = o->security == POP3_SECURITY_TLS ? POP3_TLS_PORT : POP3_PORT;
        uint16_t port = o->port != 0 ? o->port : usual;
        ok = p3_landlock_allow_port(l, o->proxy != POP3_PROXY_NONE ? o->proxy_port : port);
        if (o->local_address != NULL)
            ok = ok && p3_landlock_allow_any_source(l);
        size_t count;
        const p3_target *at = p3_target_members(&s->chosen->at[i].account.target, &count);
        for (size_t k = 0; ok && k < count; k++)
            ok = allow_target_port(s, l, &at[k]);
    }
    return ok;
}

/* ---- preparing ---- */

/* Starts the runner. If that fails, no commands can be run from inside. */
static void start_runner(p3_sandbox *s, const p3_target *more, size_t count)
{
    if (p3_sandbox_gather(s, more, count) && p3_sandbox_start_runner(s))
        return;
    s->off = true;
    snprintf(s->report, sizeof s->report, "off: no process to run commands: %s", strerror(errno));
}

void p3_sandbox_prepare(p3_sandbox *s)
{
    bool possible = p3_landlock_is_built();
    snprintf(s->report, sizeof s->report, "off%s",
             s->off || possible ? "" : ": this build has none for this system");
    s->off = s->off || !possible;
    if (!s->off)
        start_runner(s, NULL, 0);
}

/* Adds an earlier target with companion files to the duties of a new runner. Few runs have one. */
static void add_targets(p3_sandbox *s, const p3_target *more, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (p3_target_row_of(more[i].kind)->opens_beside) {
            p3_sandbox_stop_runner(s);
            start_runner(s, more, count);
            return;
        }
    }
}

void p3_sandbox_end(p3_sandbox *s)
{
    p3_sandbox_stop_runner(s);
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

/* Creates missing directories at one place of a target. */
static void make_directories_at(const p3_target *t, const p3_target_row *row, const char *where)
{
    p3_problem later;
    bool whole = true;
    for (const char *const *name = row->directories; *name != NULL; name++)
        whole = whole && is_there(where, *name);
    p3_delivery *d = whole ? NULL : row->open(where, t->envelope, &later);
    if (d != NULL)
        d->class->close(d);
}

/* Creates missing directories of a target, because none can be created inside. The target itself
 * reports failures later. */
static void make_directories(const p3_target *t)
{
    const p3_target_row *row = p3_target_row_of(t->kind);
    char *where;
    if (row == NULL || row->directories == NULL)
        return;
    for (size_t i = 0; (where = p3_target_place(t, i)) != NULL; i++) {
        make_directories_at(t, row, where);
        free(where);
    }
}

static void make_all_directories(const p3_sandbox *s)
{
    for (size_t i = 0; i < s->chosen->count && s->delivers && !s->dry_run; i++) {
        const p3_account *a = &s->chosen->at[i].account;
        if (a->unusable != NULL)
            continue;
        size_t count;
        const p3_target *at = p3_target_members(&a->target, &count);
        for (size_t k = 0; k < count; k++) {
            p3_target refused = p3_target_for_refused(&at[k]);
            make_directories(&at[k]);
            if (p3_target_row_of(at[k].kind)->refuses)
                make_directories(&refused);
        }
    }
}

/* Creates the history file, because no file can be created inside. */
static void make_history(const p3_sandbox *s)
{
    char *path = s->edits_lines ? p3_home_path("XDG_STATE_HOME", ".local/state", "history") : NULL;
    int fd = path != NULL ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd >= 0)
        (void)close(fd);
    free(path);
}

/* Kerberos reads files and connects by its own configuration, and stores its tickets in many
 * places. */
static bool uses_kerberos(const p3_chosen *chosen)
{
    for (size_t i = 0; i < chosen->count; i++) {
        const char *mechanism = chosen->at[i].account.mechanism;
        if (mechanism != NULL && strcasecmp(mechanism, "GSSAPI") == 0)
            return true;
    }
    return false;
}

/* Restricts files and ports. Returns Landlock's version, or 0 with the reason. */
static int restrict_files(const p3_sandbox *s, const p3_target *more, size_t count,
                          const char **why)
{
    p3_landlock l;
    bool ok = p3_landlock_begin(&l) && p3_sandbox_allow_files(s, &l, more, count) &&
              allow_ports(s, &l) && p3_landlock_enter(&l);
    *why = l.version == 0 ? "this kernel has no Landlock, or an old one" : strerror(errno);
    p3_landlock_end(&l);
    return ok ? l.version : 0;
}

/* Landlock comes first, because its system calls are not on the filter's list; what it permits
 * depends on whether there will be a filter. */
static void enter_sandbox(p3_sandbox *s, const p3_target *more, size_t count)
{
    const p3_filter_needs needs = {.helper = p3_runner_pid(), .kerberos = uses_kerberos(s->chosen)};
    const char *no_files = "Kerberos needs them";
    const char *no_calls = NULL;
    char files[100];
    s->is_entered = true;
    make_all_directories(s);
    make_history(s);
    (void)p3_process_gain_no_rights(); /* if it fails, the following calls fail and report it */
    s->filters = p3_filter_is_there(&no_calls);
    int version = needs.kerberos ? 0 : restrict_files(s, more, count, &no_files);
    s->filters = s->filters && p3_filter_system_calls(&needs, &no_calls);
    if (version > 0)
        snprintf(files, sizeof files, "files%s%s (Landlock %d)",
                 version >= P3_LANDLOCK_TRUNCATE ? "" : " but for their truncation",
                 version >= P3_LANDLOCK_PORTS ? " and ports" : "", version);
    else
        snprintf(files, sizeof files, "not files (%s)", no_files);
    snprintf(s->report, sizeof s->report, "restricted: %s, %ssystem calls (%s)", files,
             s->filters ? "" : "not ", s->filters ? "seccomp" : no_calls);
    s->is_whole = version >= P3_LANDLOCK_TRUNCATE && s->filters;
}

void p3_sandbox_enter(void *sandbox, const p3_target *more, size_t count)
{
    p3_sandbox *s = sandbox;
    if (!s->off && !s->is_entered)
        add_targets(s, more, count);
    if (!s->off && !s->is_entered)
        enter_sandbox(s, more, count);
    if (s->is_told)
        p3_print(stderr, "pop3: sandbox: %s\n", s->report);
}

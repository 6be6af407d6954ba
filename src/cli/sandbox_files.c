/* The files that the sandbox permits: those that libraries read, the accounts' Maildirs and
 * secrets, the state. */
#include "cli/sandbox_parts.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "settings/config.h"
#include "settings/text.h"

/* What the C library and OpenSSL open at run time: libraries such as those of iconv, and their
 * data. Names are looked up outside. */
static const char *const system_places[] = {
    "/usr", "/lib", "/lib64", "/opt", "/nix/store", "/gnu/store",
    /* certificates */
    "/etc/ssl", "/etc/pki", "/etc/ca-certificates", "/etc/crypto-policies",
    /* the rest */
    "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/etc/timezone",
    "/proc/sys", "/sys/devices/system/cpu", "/dev/urandom", "/dev/random"};

/* The descriptions of terminals, for `pop3 shell`. */
static const char *const terminal_places[] = {"/etc/terminfo", "/etc/inputrc"};

/* Permits reading a directory and a name below it; a directory of NULL is ignored. */
static bool allow_below(const p3_landlock *l, const char *folder, const char *name,
                        p3_access access)
{
    char *path = folder != NULL ? p3_text_join(folder, name, NULL) : NULL;
    bool ok = folder == NULL || (path != NULL && p3_landlock_allow(l, path, access));
    free(path);
    return ok;
}

/* Permits a target's directories, wherever they are. With the filter of system calls everything is
 * permitted below them: it can refuse everything except creating a socket there, which is harmless.
 * The runner opens other files of a target. */
static bool allow_target(const p3_sandbox *s, const p3_landlock *l, const p3_target *t)
{
    const p3_target_row *row = p3_target_row_of(t->kind);
    p3_access access = s->filters ? P3_ACCESS_ALL : P3_ACCESS_WRITE;
    bool ok = true;
    char *where;
    if (row == NULL || row->directories == NULL)
        return true;
    for (size_t i = 0; ok && (where = p3_target_place(t, i)) != NULL; i++) {
        for (const char *const *name = row->directories; ok && *name != NULL; name++)
            ok = allow_below(l, where, *name, access);
        free(where);
    }
    return ok;
}

/* Permits the state's files, if they have their own directory; otherwise the runner opens them. */
static bool allow_state(const p3_sandbox *s, const p3_landlock *l)
{
    return s->state_folder == NULL || p3_landlock_allow(l, s->state_folder, P3_ACCESS_WRITE);
}

/* Permits a directory of authorities, whose files are often links to others. */
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

/* Permits an account's directory of authorities, and its targets. */
static bool allow_account(const p3_sandbox *s, const p3_landlock *l, const p3_local_account *a)
{
    p3_settings set;
    p3_packed_settings_view(a->settings, &set);
    bool ok = set.ca_dir == NULL || allow_authorities(l, set.ca_dir);
    size_t count;
    const p3_target *at = p3_target_members(&a->account.target, &count);
    for (size_t i = 0; ok && s->delivers && i < count; i++) {
        p3_target refused = p3_target_for_refused(&at[i]);
        ok = allow_target(s, l, &at[i]) && allow_target(s, l, &refused);
    }
    return ok;
}

/* Permits the files that OpenSSL's environment variables name. */
static bool allow_environment(const p3_landlock *l)
{
    const char *file = getenv("SSL_CERT_FILE");
    const char *set = getenv("SSL_CERT_DIR");
    if (file != NULL && access(file, R_OK) == 0 && !p3_landlock_allow(l, file, P3_ACCESS_READ))
        return false;
    char *list = set != NULL ? strdup(set) : NULL;
    char *rest = NULL;
    bool ok = set == NULL || list != NULL;
    const char *at = list != NULL ? strtok_r(list, ":", &rest) : NULL;
    for (; ok && at != NULL; at = strtok_r(NULL, ":", &rest))
        ok = allow_authorities(l, at);
    free(list);
    return ok;
}

/* Permits what libedit reads and writes at a terminal: the history file exists by now. */
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
              (history == NULL || p3_landlock_allow(l, history, P3_ACCESS_WRITE));
    for (size_t i = 0; ok && i < sizeof terminal_places / sizeof *terminal_places; i++)
        ok = p3_landlock_allow(l, terminal_places[i], P3_ACCESS_READ);
    free(history);
    return ok;
}

bool p3_sandbox_allow_files(const p3_sandbox *s, const p3_landlock *l, const p3_target *more,
                            size_t count)
{
    bool ok = p3_landlock_allow(l, "/dev/null", P3_ACCESS_DEVICE) &&
              p3_landlock_allow(l, "/dev/tty", P3_ACCESS_DEVICE) && allow_environment(l);
    for (size_t i = 0; ok && i < sizeof system_places / sizeof *system_places; i++)
        ok = p3_landlock_allow(l, system_places[i], P3_ACCESS_READ);
    for (size_t i = 0; ok && i < s->chosen->count; i++) {
        if (s->chosen->at[i].account.unusable == NULL)
            ok = allow_account(s, l, &s->chosen->at[i]);
    }
    for (size_t i = 0; ok && i < s->duties.file_count; i++)
        ok = s->files[i].kind != P3_BESIDE_READ ||
             p3_landlock_allow(l, s->files[i].path, P3_ACCESS_READ);
    for (size_t i = 0; ok && i < count; i++)
        ok = allow_target(s, l, &more[i]);
    ok = ok && allow_state(s, l);
    if (ok && s->edits_lines)
        ok = allow_editing(l);
#ifdef P3_ALSO_READABLE /* a build with sanitizers, which read their own process */
    ok = ok && p3_landlock_allow(l, P3_ALSO_READABLE, P3_ACCESS_READ) &&
         p3_landlock_allow(l, "/proc/self", P3_ACCESS_READ);
#endif
#ifdef P3_ALSO_WRITABLE
    ok = ok && p3_landlock_allow(l, P3_ALSO_WRITABLE, P3_ACCESS_WRITE);
#endif
    return ok;
}

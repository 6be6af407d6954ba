/* pop3 setup ADDRESS: writes the configuration for a mail address, with the POP3 server that its
 * domain publishes in the DNS (RFC 6186 §3.3). */
#include "cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "settings/config.h"
#include "cli/srv_record.h"
#include "cli/output.h"
#include "settings/text.h"
#include "support/printable.h"

/* Whether a host name is within the domain of the address; otherwise the user must confirm it,
 * because the DNS may have been tampered with (RFC 6186 §6). */
static bool is_within(const char *host, const char *domain)
{
    size_t h = strlen(host);
    size_t d = strlen(domain);
    return h >= d && strcasecmp(host + h - d, domain) == 0 && (h == d || host[h - d - 1] == '.');
}

/* The absolute path of the account's password file, beside the configuration. NULL when out of
 * memory, or when the current directory has no name. */
static char *password_path(const char *config, const char *address)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@+._-";
    const char *slash = strrchr(config, '/');
    char *folder = strndup(config, slash != NULL ? (size_t)(slash + 1 - config) : 0);
    char *name = strdup(address);
    for (char *at = name; at != NULL && *at != '\0'; at++)
        *at = strchr(plain, *at) != NULL ? *at : '_';
    bool absolute = config[0] == '/';
    char here[PATH_MAX] = "";
    char *path =
        folder != NULL && name != NULL && (absolute || getcwd(here, sizeof here - 1) != NULL)
            ? p3_text_join(here, absolute ? "" : "/", folder, name, ".password", NULL)
            : NULL;
    free(folder);
    free(name);
    return path;
}

static char *make_section(const char *address, const p3_srv *o, const char *password)
{
    char port[32] = "";
    unsigned usual = o->tls ? POP3_TLS_PORT : POP3_PORT;
    if (o->port != usual)
        snprintf(port, sizeof port, "port = %u\n", o->port);
    return p3_text_join("\n[", address, "]\nhost = ", o->host, "\n", port, "user = ", address, "\n",
                        o->tls ? "" : "tls = stls\n", "password-file = ", password,
                        "\nmaildir = ~/Maildir\n", NULL);
}

/* Whether a text can be the value of a setting, and be shown as it is. */
static bool is_plain(const char *text)
{
    uint32_t c;
    size_t n;
    for (size_t left = strlen(text); left > 0; text += n, left -= n) {
        n = p3_utf8_char(text, left, &c);
        if (n == 0 || p3_char_kind_of(c) != P3_CHAR_VISIBLE)
            return false;
        if (c == ' ' && text[1] == ';') /* the beginning of a comment */
            return false;
    }
    return true;
}

/* Appends the section to the configuration file, which is created if it does not exist. */
static bool append_section(const char *path, const char *section, p3_problem *why)
{
    char *copy = strdup(path);
    for (char *slash = copy; slash != NULL && (slash = strchr(slash + 1, '/')) != NULL;
         *slash = '/') {
        *slash = '\0';
        (void)mkdir(copy, 0700); /* failures show below */
    }
    free(copy);
    struct stat st;
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    bool opened = fd >= 0 && fstat(fd, &st) == 0;
    bool ok = opened && dprintf(fd, "%s", section) > 0 && fsync(fd) == 0;
    int error = errno;
    if (opened && !ok && ftruncate(fd, st.st_size) != 0)
        error = errno; /* the file ends within the section */
    if (fd >= 0)
        (void)close(fd);
    return ok || p3_problem_errno(why, error, "writing %s", path);
}

/* A word for a shell: quoted unless it is harmless. Returns NULL when out of memory; free() it. */
static char *quote(const char *word)
{
    static const char harmless[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-";
    if (word[0] != '\0' && word[strspn(word, harmless)] == '\0')
        return strdup(word);
    char *quoted = malloc(strlen(word) * 4 + 3);
    char *to = quoted;
    if (quoted == NULL)
        return NULL;
    *to++ = '\'';
    for (; *word != '\0'; word++) {
        if (*word == '\'')
            to = stpcpy(to, "'\\''");
        else
            *to++ = *word;
    }
    memcpy(to, "'", 2);
    return quoted;
}

/* Prints the next steps as commands that can be pasted. */
static bool print_next_steps(const char *address, const char *password)
{
    char *account = quote(address);
    char *file = quote(password);
    bool ok = account != NULL && file != NULL &&
              p3_print(stdout,
                       "To store the password, run this, type it, then Enter and Ctrl-D:\n"
                       "    (umask 077 && cat >%s)\n"
                       "Then try: pop3 doctor %s\n",
                       file, account);
    free(account);
    free(file);
    return ok;
}

static int offer_known(const char *address, const p3_srv *o, const p3_arguments *a)
{
    p3_problem why;
    p3_config config;
    int status = EX_OK;
    bool ok = p3_config_read(&config, a->run.config, false, p3_print_problem_in_file, &why);
    char *password = ok ? password_path(config.path, address) : NULL;
    char *section = password != NULL ? make_section(address, o, password) : NULL;
    if (ok && section == NULL)
        ok = p3_problem_memory(&why);
    if (ok && !is_plain(password))
        ok = p3_problem_set(&why, EX_CONFIG,
                            "the configuration cannot name %s, the file for the password: it would "
                            "be read as another one; put the configuration into a directory "
                            "without special characters, with --config",
                            password);
    if (ok &&
        strlen(address) > P3_ACCOUNT_NAME_MOST) /* the configuration could not be read any more */
        ok = p3_problem_set(&why, EX_UNAVAILABLE,
                            "the name of an account has at most %d octets; write it into %s under "
                            "another name, with host = %s and this address as its user",
                            P3_ACCOUNT_NAME_MOST, config.path, o->host);
    for (size_t i = 0; ok && i < config.count; i++) {
        if (strcmp(config.accounts[i].name, address) == 0)
            ok = p3_problem_set(&why, EX_CONFIG, "%s has an account of that name already",
                                config.path);
    }
    if (ok && !a->run.dry_run)
        ok = append_section(config.path, section, &why);
    if (!ok)
        status = p3_print_problem(address, &why);
    else
        p3_print(stdout, "%s %s:\n%s\n", a->run.dry_run ? "This would be added to" : "Added to",
                 config.path, section);
    if (ok && !print_next_steps(address, password))
        status = EX_OSERR;
    free(section);
    free(password);
    p3_config_free(&config);
    return status;
}

int p3_cmd_setup(p3_arguments *a)
{
    p3_problem why;
    p3_srv best = {0};
    const char *at = a->count == 1 ? strrchr(a->rest[0], '@') : NULL;
    if (at == NULL || at == a->rest[0] || at[1] == '\0' || strpbrk(a->rest[0], "[] ") != NULL ||
        !is_plain(a->rest[0])) {
        p3_problem_set(&why, EX_USAGE, "a mail address is expected: pop3 setup NAME@DOMAIN");
        return p3_print_problem(NULL, &why);
    }
    const char *domain = at + 1;
    p3_srv_find(domain, &best);
    if (!best.found) {
        p3_problem_set(&why, EX_NOHOST,
                       "%s does not publish its POP3 server in the DNS; ask its provider, and try "
                       "`pop3 doctor pop3s://USER@HOST/`",
                       domain);
        return p3_print_problem(a->rest[0], &why);
    }
    if (!is_within(best.host, domain))
        p3_print(stdout, "Note: the server %s is outside %s; make sure that this is right.\n",
                 best.host, domain);
    return offer_known(a->rest[0], &best, a);
}

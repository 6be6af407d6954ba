/* Passwords in a .netrc file: "machine HOST login USER password PASSWORD", in any layout. */
#include "cli/netrc.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

#include "confine/outside.h"
#include "settings/private_file.h"
#include "settings/text.h"
#include "support/input.h"

#define P3_NETRC_MOST ((size_t)1024 * 1024)

/* The text between two "machine"s. */
typedef struct p3_netrc_entry {
    bool here; /* it is for our host, or the default */
    const char *login;
    const char *password;
} p3_netrc_entry;

static bool matches(const p3_netrc_entry *e, const char *user)
{
    return e->here && e->password != NULL &&
           (e->login == NULL || user == NULL || strcmp(e->login, user) == 0);
}

/* The next word, in place: quoted words may contain blanks and backslashes. NULL at the end. */
static char *next_word(char **at)
{
    char *p = *at + strspn(*at, " \t\r\n");
    if (*p == '\0')
        return NULL;
    char *word = p;
    if (*p != '"') {
        p += strcspn(p, " \t\r\n");
        *at = *p != '\0' ? p + 1 : p;
        *p = '\0';
        return word;
    }
    char *to = word;
    for (p++; *p != '\0' && *p != '"'; p++) {
        if (*p == '\\' && p[1] != '\0')
            p++;
        *to++ = *p;
    }
    *at = *p != '\0' ? p + 1 : p;
    *to = '\0';
    return word;
}

/* The next word outside of comments; a password may begin with #. */
static char *next_keyword(char **at)
{
    char *p = *at + strspn(*at, " \t\r\n");
    while (*p == '#') {
        p += strcspn(p, "\n");
        p += strspn(p, " \t\r\n");
    }
    *at = p;
    return next_word(at);
}

static const char *search(char *text, const char *host, const char *user)
{
    p3_netrc_entry e = {0};
    char *word;
    while ((word = next_keyword(&text)) != NULL) {
        bool machine = strcmp(word, "machine") == 0;
        if (machine || strcmp(word, "default") == 0) {
            if (matches(&e, user))
                return e.password;
            const char *name = machine ? next_word(&text) : host;
            e = (p3_netrc_entry){.here =
                                     name != NULL && host != NULL && strcasecmp(name, host) == 0};
        } else if (strcmp(word, "login") == 0) {
            e.login = next_word(&text);
        } else if (strcmp(word, "password") == 0) {
            e.password = next_word(&text);
        } else if (strcmp(word, "account") == 0) {
            (void)next_word(&text);
        } else if (strcmp(word, "macdef") == 0) {
            char *end = strstr(text, "\n\n"); /* a macro ends with an empty line */
            text = end != NULL ? end : text + strlen(text);
        }
    }
    return matches(&e, user) ? e.password : NULL;
}

bool p3_netrc_find(const char *path, const char *host, const char *user, char **password,
                   bool *found, p3_problem *why)
{
    const char *home = getenv("HOME");
    char *usual = path == NULL && home != NULL ? p3_text_join(home, "/.netrc", NULL) : NULL;
    const char *name = path != NULL ? path : usual;
    int fd = name != NULL ? p3_outside_read(name) : -1;
    p3_input in = {0};
    bool ok = true;
    *found = false;
    if (fd < 0) {
        ok = (path == NULL && errno == ENOENT) || name == NULL;
        if (!ok) {
            (void)p3_input_problem(why, errno, "reading", name);
            why->exit = EX_CONFIG; /* the file is only read */
        }
    } else if (!p3_private_file_check(fd, name, "reading", why)) {
        ok = false;
    } else if (!p3_input_read(fd, P3_NETRC_MOST, false, &in)) {
        ok = p3_input_problem(why, errno, "reading", name);
    } else if (memchr(in.text, '\0', in.len) != NULL) {
        ok = p3_input_problem(why, EILSEQ, "reading", name);
    } else {
        const char *secret = search(in.text, host, user);
        *found = secret != NULL;
        if (*found && (*password = strdup(secret)) == NULL)
            ok = p3_problem_memory(why);
    }
    p3_input_free(&in);
    if (fd >= 0)
        (void)close(fd);
    free(usual);
    return ok;
}

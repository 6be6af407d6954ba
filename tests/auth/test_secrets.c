/* Where secrets must not be: in a trace, in an error message, and in the memory of a process that
 * has logged in or out. Each mechanism logs in to Dovecot in a process of its own, which gets the
 * secret through a pipe and stops when it has logged in or out; then all its writable memory is
 * searched. */
#define _GNU_SOURCE /* environ */
#include "support/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <pop3/pop3.h>

/* A mapping that is larger is no memory but an address range that a sanitizer set aside. */
#define LARGEST_MAPPING ((uint64_t)1 << 30)

static const char *setting(const char *name)
{
    const char *value = getenv(name);
    if (value == NULL) {
        fprintf(stderr, "%s is not set: run this through dovecot.py\n", name);
        exit(2);
    }
    return value;
}

static bool is_token(const char *mechanism)
{
    return strcmp(mechanism, "OAUTHBEARER") == 0 || strcmp(mechanism, "XOAUTH2") == 0;
}

/* ---- a login, in the child or here ---- */

/* The secret, where the process that logs in keeps it. */
static char secret[4096];

static void collect(void *ctx, pop3_trace_kind kind, const char *data, size_t len)
{
    (void)kind;
    text_add(ctx, data, len);
    text_add(ctx, "\n", 1);
}

/* Logs in and out, and stops in between if asked to. What happened goes to `trace`, what went wrong
 * to `error`. */
static pop3_status log_in_and_out(const char *mechanism, bool stops, text *trace, text *error)
{
    char why[300];
    pop3_tls *tls = NULL;
    pop3_client *c = NULL;
    pop3_tls_options t = POP3_TLS_OPTIONS_INIT;
    pop3_client_options o = POP3_CLIENT_OPTIONS_INIT;
    pop3_login_options l = POP3_LOGIN_OPTIONS_INIT;
    bool clear = strcmp(mechanism, "APOP") == 0;
    t.ca_file = setting("POP3_TEST_CA_FILE");
    if (pop3_tls_new(&tls, &t, why, sizeof why) != POP3_OK)
        return POP3_ERR_TLS;
    o.host = setting("POP3_TEST_HOST");
    o.port = (uint16_t)atoi(setting(clear ? "POP3_TEST_PORT" : "POP3_TEST_TLS_PORT"));
    o.security = clear ? POP3_SECURITY_PLAIN : POP3_SECURITY_TLS;
    o.tls = tls;
    o.engine.trace = collect;
    o.engine.trace_ctx = trace;
    o.engine.trace_level = 2;
    l.user = setting("POP3_TEST_USER");
    l.mechanism = mechanism;
    if (is_token(mechanism))
        l.token = secret;
    else
        l.password = secret;
    pop3_status status = pop3_client_new(&c, &o);
    if (status == POP3_OK)
        status = pop3_client_connect(c);
    if (status == POP3_OK)
        status = pop3_login(c, &l);
    if (status != POP3_OK && c != NULL)
        text_print(error, "%s %s", pop3_client_error(c)->message,
                   pop3_client_error(c)->server_text);
    if (status == POP3_OK && stops) {
        explicit_bzero(secret, sizeof secret);
        raise(SIGSTOP);
    }
    if (status == POP3_OK)
        status = pop3_client_quit(c);
    pop3_client_free(c);
    pop3_tls_free(tls);
    return status;
}

/* The child: the secret comes over standard input. Its mode is "in" or "out", for where it stops,
 * or "keep": it stays in memory, to see that the search finds it. */
static int child(const char *mechanism, const char *mode)
{
    text trace = {0};
    text error = {0};
    size_t len = 0;
    for (ssize_t n; (n = read(STDIN_FILENO, secret + len, sizeof secret - 1 - len)) > 0;)
        len += (size_t)n;
    pop3_status status = log_in_and_out(mechanism, strcmp(mode, "in") == 0, &trace, &error);
    if (strcmp(mode, "keep") != 0)
        explicit_bzero(secret, sizeof secret);
    if (status != POP3_OK) {
        fprintf(stderr, "%s: %s\n", mechanism, error.data != NULL ? error.data : "?");
        return 1;
    }
    raise(SIGSTOP);
    return trace.len > 0 ? 0 : 1;
}

/* ---- the search ---- */

/* What to look for: the secret itself, and how it looks within base64, at any offset; and both for
 * its second half, as what is freed without wiping loses its first octets to the allocator. */
#define PATTERNS 8

typedef struct patterns {
    char *at[PATTERNS];
    size_t len[PATTERNS];
} patterns;

static char *base64_of(const unsigned char *data, size_t len)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *out = calloc(len / 3 + 1, 4);
    assert_non_null(out);
    for (size_t i = 0; i + 2 < len; i += 3) { /* whole groups only */
        unsigned bits = (unsigned)data[i] << 16 | (unsigned)data[i + 1] << 8 | data[i + 2];
        for (int k = 0; k < 4; k++)
            out[i / 3 * 4 + (size_t)k] = alphabet[bits >> (18 - 6 * k) & 63];
    }
    return out;
}

static patterns patterns_of(const char *what)
{
    patterns p;
    size_t len = strlen(what);
    assert_true(len >= 24); /* shorter halves could be there by chance */
    for (size_t i = 0; i < PATTERNS; i++) {
        const char *part = i < PATTERNS / 2 ? what : what + len / 2;
        size_t shift = i % 4;
        p.at[i] = shift == 0 ? strdup(part)
                             : base64_of((const unsigned char *)part + shift, strlen(part) - shift);
        p.len[i] = strlen(p.at[i]);
    }
    return p;
}

static void free_patterns(patterns *p)
{
    for (size_t i = 0; i < PATTERNS; i++)
        free(p->at[i]);
}

static bool holds(const patterns *p, const char *data, size_t len)
{
    for (size_t i = 0; i < PATTERNS; i++) {
        if (memmem(data, len, p->at[i], p->len[i]) != NULL)
            return true;
    }
    return false;
}

/* The memory of a stopped process. */
typedef struct memory {
    int octets;   /* /proc/PID/mem */
    int pages;    /* /proc/PID/pagemap */
    bool swapped; /* its entries have the other byte order: the kernel's, beneath an emulator */
    uint64_t searched;
} memory;

static int open_of(pid_t pid, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* Whether an entry of a page map says that its page is in memory (bit 63) or swapped out (bit 62).
 */
static bool is_there(const memory *m, uint64_t entry)
{
    return ((m->swapped ? __builtin_bswap64(entry) : entry) >> 62) != 0;
}

/* Finds the byte order of page maps, with pages of ours that were just written to: in memory, and
 * mapped once (bits 63 and 56). Returns false where it is neither order. */
static bool find_byte_order(memory *m)
{
    enum { PAGES = 16 };
    size_t size = (size_t)sysconf(_SC_PAGESIZE);
    uint64_t entries[PAGES] = {0};
    size_t native = 0, swapped = 0;
    char *pages = aligned_alloc(size, PAGES * size);
    int map = open_of(getpid(), "pagemap");
    assert_non_null(pages);
    explicit_bzero(pages, PAGES * size); /* which is not left out */
    off_t at = (off_t)((uintptr_t)pages / size * sizeof *entries);
    bool done = pread(map, entries, sizeof entries, at) == (ssize_t)sizeof entries;
    for (size_t i = 0; i < PAGES; i++) {
        native += entries[i] >> 56 == 0x81;
        swapped += __builtin_bswap64(entries[i]) >> 56 == 0x81;
    }
    close(map);
    free(pages);
    m->swapped = native < swapped;
    return done && (native == PAGES || swapped == PAGES);
}

/* Whether the pattern is in a range. One that cannot be read, as a guard page, holds nothing. */
static bool range_holds(memory *m, uint64_t from, uint64_t to, const patterns *p)
{
    size_t len = (size_t)(to - from);
    char *copy = malloc(len);
    assert_non_null(copy);
    ssize_t got = pread(m->octets, copy, len, (off_t)from);
    bool found = got > 0 && holds(p, copy, (size_t)got);
    m->searched += got > 0 ? (uint64_t)got : 0;
    free(copy);
    return found;
}

/* Whether the pattern is in a mapping: in its runs of pages that are in memory or swapped out, as a
 * page that was never touched holds nothing (a sanitizer sets gigabytes of those aside). */
static bool mapping_holds(memory *m, uint64_t from, uint64_t to, const patterns *p)
{
    uint64_t size = (uint64_t)sysconf(_SC_PAGESIZE);
    size_t count = (size_t)((to - from) / size);
    uint64_t *entries = calloc(count + 1, sizeof *entries); /* one more, of no page */
    bool found = false;
    assert_non_null(entries);
    ssize_t want = (ssize_t)(count * sizeof *entries);
    assert_true(pread(m->pages, entries, (size_t)want, (off_t)(from / size * sizeof *entries)) ==
                want);
    for (size_t i = 0, begin = 0; i <= count; i++) {
        bool there = is_there(m, entries[i]);
        if (!there && begin < i)
            found = range_holds(m, from + begin * size, from + i * size, p) || found;
        if (!there)
            begin = i + 1;
    }
    free(entries);
    return found;
}

/* Searches the writable memory of a stopped process. Returns in how many mappings it is, -1 when
 * the memory cannot be read; *searched counts octets. */
static int search_process(pid_t pid, const patterns *p, uint64_t *searched)
{
    char path[64];
    char line[512];
    int found = 0;
    memory m = {.octets = open_of(pid, "mem"), .pages = open_of(pid, "pagemap")};
    snprintf(path, sizeof path, "/proc/%ld/maps", (long)pid);
    FILE *maps = fopen(path, "r");
    if (m.octets < 0 || m.pages < 0 || maps == NULL || !find_byte_order(&m))
        return -1;
    while (fgets(line, sizeof line, maps) != NULL) {
        uint64_t from, to;
        char permissions[8];
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s", &from, &to, permissions) != 3 ||
            permissions[1] != 'w' || to - from > LARGEST_MAPPING)
            continue;
        if (mapping_holds(&m, from, to, p)) {
            print_message("# found in %s", line);
            found++;
        }
    }
    fclose(maps);
    close(m.octets);
    close(m.pages);
    *searched += m.searched;
    return found;
}

/* The value that a mechanism works with. */
static char *secret_for(const char *mechanism)
{
    if (!is_token(mechanism))
        return strdup(setting("POP3_TEST_PASSWORD"));
    char path[4096];
    snprintf(path, sizeof path, "%s/valid", setting("POP3_TEST_TOKENS"));
    text token = text_of_file(path);
    assert_non_null(token.data);
    token.data[strcspn(token.data, "\n")] = '\0';
    return token.data;
}

/* Starts the child, without the password in its environment. */
static pid_t start_child(const char *mechanism, const char *mode, const char *value)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        char *argv[] = {"secrets", (char *)(uintptr_t)mode, (char *)(uintptr_t)mechanism, NULL};
        if (ends[0] != STDIN_FILENO) { /* standard input may be closed */
            dup2(ends[0], STDIN_FILENO);
            close(ends[0]);
        }
        close(ends[1]);
        unsetenv("POP3_TEST_PASSWORD");
        unsetenv("MALLOC_PERTURB_"); /* Meson's: it would wipe what the library forgets to */
        execve("/proc/self/exe", argv, environ);
        _exit(127);
    }
    close(ends[0]);
    assert_int_equal(write(ends[1], value, strlen(value)), (int)strlen(value));
    close(ends[1]);
    return pid;
}

/* In how many places of the child's memory the secret is once it has stopped. */
static int left_behind(const char *mechanism, const char *mode)
{
    char *value = secret_for(mechanism);
    patterns p = patterns_of(value);
    uint64_t searched = 0;
    int status = 0;
    pid_t pid = start_child(mechanism, mode, value);
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    if (!WIFSTOPPED(status))
        fail_msg("%s: the login failed", mechanism);
    int found = search_process(pid, &p, &searched);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    free_patterns(&p);
    free(value);
    assert_true(found >= 0 && searched > 100000); /* it was really searched */
    return found;
}

/* The last leaves copies of the password in GNU SASL, and in memory: docs/reference/security.md. */
static const char *const mechanisms[] = {
    "PLAIN",         "LOGIN", "USER",        "CRAM-MD5", "SCRAM-SHA-1",
    "SCRAM-SHA-256", "APOP",  "OAUTHBEARER", "XOAUTH2",  "DIGEST-MD5",
};

#define MECHANISMS (sizeof mechanisms / sizeof mechanisms[0])
#define WIPED      (MECHANISMS - 1)

static void a_secret_that_is_kept_is_found(void **state)
{
    (void)state;
    assert_true(left_behind("PLAIN", "keep") > 0);
    assert_true(left_behind("XOAUTH2", "keep") > 0);
}

static void nothing_is_left_behind(const char *mode)
{
    for (size_t i = 0; i < WIPED; i++) {
        int found = left_behind(mechanisms[i], mode);
        if (found != 0)
            fail_msg("%s left its secret in %d places", mechanisms[i], found);
    }
}

static void nothing_of_a_secret_is_left_in_memory_after_the_login(void **state)
{
    (void)state;
    nothing_is_left_behind("in");
}

static void nothing_of_a_secret_is_left_in_memory_after_logout(void **state)
{
    (void)state;
    nothing_is_left_behind("out");
}

static void no_trace_has_a_secret(void **state)
{
    (void)state;
    for (size_t i = 0; i < MECHANISMS; i++) {
        text trace = {0};
        text error = {0};
        char *value = secret_for(mechanisms[i]);
        patterns p = patterns_of(value);
        snprintf(secret, sizeof secret, "%s", value);
        assert_int_equal(log_in_and_out(mechanisms[i], false, &trace, &error), POP3_OK);
        assert_non_null(strstr(trace.data, "***"));
        if (holds(&p, trace.data, trace.len))
            fail_msg("%s: the trace has the secret", mechanisms[i]);
        free_patterns(&p);
        free(value);
        free(trace.data);
        free(error.data);
    }
}

static void no_error_has_a_secret(void **state)
{
    (void)state;
    for (size_t i = 0; i < MECHANISMS; i++) {
        text trace = {0};
        text error = {0};
        snprintf(secret, sizeof secret, "not-the-secret-of-this-account");
        patterns p = patterns_of(secret);
        assert_int_equal(log_in_and_out(mechanisms[i], false, &trace, &error), POP3_ERR_REFUSED);
        assert_non_null(error.data);
        if (holds(&p, error.data, error.len) || holds(&p, trace.data, trace.len))
            fail_msg("%s: %s", mechanisms[i], error.data);
        free_patterns(&p);
        free(trace.data);
        free(error.data);
    }
}

int main(int argc, char **argv)
{
    if (argc == 3)
        return child(argv[2], argv[1]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_that_is_kept_is_found),
        cmocka_unit_test(nothing_of_a_secret_is_left_in_memory_after_the_login),
        cmocka_unit_test(nothing_of_a_secret_is_left_in_memory_after_logout),
        cmocka_unit_test(no_trace_has_a_secret),
        cmocka_unit_test(no_error_has_a_secret),
    };
    return cmocka_run_group_tests_name("auth-secrets", tests, NULL, NULL);
}

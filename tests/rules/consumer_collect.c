/* A program that uses libpop3-collect as it is installed, as C99, C17 and C++ alike: it decodes a
 * field, remembers a message, and is refused a visit without an account. */
#include <pop3/collect.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int decodes(void)
{
    char *text = NULL;
    int right = pop3_header_decode("=?utf-8?q?=C3=A9?=", 18, &text) == POP3_COLLECT_OK &&
                strcmp(text, "\xc3\xa9") == 0;
    free(text);
    return right;
}

static int remembers(const char *path)
{
    pop3_seen *memory = NULL;
    pop3_str uid = {"uid", 3};
    int right;
    if (pop3_seen_open(&memory, path, "account", NULL) != POP3_COLLECT_OK)
        return 0;
    right = !pop3_seen_contains(memory, uid) &&
            pop3_seen_add(memory, uid, NULL) == POP3_COLLECT_OK &&
            pop3_seen_save(memory, NULL) == POP3_COLLECT_OK && pop3_seen_contains(memory, uid);
    pop3_seen_close(memory);
    return right;
}

int main(int argc, char **argv)
{
    pop3_visit_options options = POP3_VISIT_OPTIONS_INIT;
    pop3_visit_report report = POP3_VISIT_REPORT_INIT;
    pop3_target target = POP3_TARGET_INIT;
    char path[4096];
    snprintf(path, sizeof path, "%s.db", argc > 0 ? argv[0] : "consumer");
    (void)remove(path);
    options.target = &target;
    if (!decodes() || !remembers(path) || options.size != sizeof options ||
        report.size != sizeof report || target.size != sizeof target || options.stop_fd != 0)
        return 1;
    /* no connection: an error, not a crash */
    if (pop3_visit(&options, &report) != POP3_COLLECT_ARGUMENT || report.error.message[0] == '\0')
        return 1;
    puts(pop3_version());
    return 0;
}

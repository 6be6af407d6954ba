/* A mail program: mail_program HOST PORT USER MAILDIR [CA_FILE] <PASSWORD_FILE
 * Collects new mail, each message exactly once, and prints senders and subjects. */
#include <pop3/collect.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_field(const char *header, size_t len, const char *name)
{
    pop3_str value;
    char *text = NULL;
    if (pop3_header_field(header, len, name, &value) &&
        pop3_header_decode(value.data, value.len, &text) == POP3_COLLECT_OK)
        printf("%s: %s\n", name, text);
    free(text);
}

static void print_new_mail(const char *maildir)
{
    static char path[4096], header[65536];
    snprintf(path, sizeof path, "%s/new", maildir);
    DIR *folder = opendir(path);
    for (struct dirent *e; folder != NULL && (e = readdir(folder)) != NULL;) {
        snprintf(path, sizeof path, "%s/new/%s", maildir, e->d_name);
        FILE *mail = e->d_name[0] != '.' ? fopen(path, "r") : NULL;
        if (mail == NULL)
            continue;
        size_t len = fread(header, 1, sizeof header, mail);
        print_field(header, len, "From");
        print_field(header, len, "Subject");
        fclose(mail);
    }
    if (folder != NULL)
        closedir(folder);
}

int main(int argc, char **argv)
{
    static char memory[4096], password[1024], why[256];
    pop3_tls_options trust = POP3_TLS_OPTIONS_INIT;
    pop3_client_options server = POP3_CLIENT_OPTIONS_INIT;
    pop3_visit_options visit = POP3_VISIT_OPTIONS_INIT;
    pop3_visit_report report = POP3_VISIT_REPORT_INIT;
    if (argc < 5 || fgets(password, sizeof password, stdin) == NULL)
        return fprintf(stderr, "HOST PORT USER MAILDIR [CA_FILE] <PASSWORD_FILE\n"), 2;
    trust.ca_file = argv[5]; /* NULL: the system's */
    if (pop3_tls_new(&server.tls, &trust, why, sizeof why) != POP3_OK)
        return fprintf(stderr, "%s\n", why), 1;
    snprintf(memory, sizeof memory, "%s.seen", argv[4]);
    password[strcspn(password, "\n")] = '\0';
    server.host = argv[1], server.port = (uint16_t)atoi(argv[2]);
    visit.connection = &server, visit.memory = memory, visit.maildir = argv[4];
    visit.user = argv[3], visit.password = password;
    if (pop3_visit(&visit, &report) != POP3_COLLECT_OK)
        fprintf(stderr, "%s: %s\n", argv[1], report.error.message);
    pop3_tls_free(server.tls);
    print_new_mail(argv[4]);
    return report.error.status == POP3_COLLECT_OK ? 0 : 1;
}

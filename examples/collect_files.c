/* Collects mail into a directory, one file for each message: a target for pop3_visit() that can be
 * asked which messages it has, so that each is delivered exactly once, even if this program stops
 * in between.
 *
 *     collect_files [--blind] [--delete] HOST PORT USER DIRECTORY <PASSWORD_FILE
 *
 * Without TLS: for a server on this machine only. With --blind the target cannot be asked. */
#include <pop3/collect.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct message {
    char name[256];
    FILE *file;
} message;

/* A message has its name in the directory; until it is complete and on the disk, the name begins
 * with a dot. */
static pop3_collect_status failed(const char *doing, pop3_collect_error *error)
{
    error->sys_errno = errno;
    snprintf(error->message, sizeof error->message, "%s: %s", doing, strerror(errno));
    return errno == ENOSPC || errno == EDQUOT ? POP3_COLLECT_TEMPORARY : POP3_COLLECT_FILE;
}

static void hidden(const message *m, char path[300])
{
    snprintf(path, 300, ".%s", m->name);
}

static pop3_collect_status begin_message(void *ctx, const char *name, void **out,
                                         pop3_collect_error *error)
{
    char path[300];
    message *m = calloc(1, sizeof *m);
    (void)ctx;
    if (m == NULL)
        return failed("storing a message", error);
    snprintf(m->name, sizeof m->name, "%s", name);
    hidden(m, path);
    m->file = fopen(path, "w");
    if (m->file == NULL) {
        pop3_collect_status status = failed("creating a file", error);
        free(m);
        return status;
    }
    *out = m;
    return POP3_COLLECT_OK;
}

static pop3_collect_status write_message(void *ctx, void *msg, const char *data, size_t len,
                                         pop3_collect_error *error)
{
    (void)ctx;
    return fwrite(data, 1, len, ((message *)msg)->file) == len ? POP3_COLLECT_OK
                                                               : failed("writing", error);
}

static void end_message(message *m)
{
    if (m->file != NULL)
        (void)fclose(m->file);
    free(m);
}

static void abort_message(void *ctx, void *msg)
{
    char path[300];
    (void)ctx;
    hidden(msg, path);
    (void)unlink(path);
    end_message(msg);
}

/* Brings the octets to the disk. Returns false with errno. */
static bool sync_file(message *m)
{
    bool ok = fflush(m->file) == 0 && fsync(fileno(m->file)) == 0;
    ok = fclose(m->file) == 0 && ok;
    m->file = NULL;
    return ok;
}

static bool sync_directory(void)
{
    int fd = open(".", O_RDONLY | O_DIRECTORY);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        (void)close(fd);
    return ok;
}

static pop3_collect_status commit_messages(void *ctx, void *const *messages, size_t count,
                                           pop3_collect_error *error)
{
    pop3_collect_status status = POP3_COLLECT_OK;
    (void)ctx;
    for (size_t i = 0; i < count && status == POP3_COLLECT_OK; i++) {
        if (!sync_file(messages[i]))
            status = failed("syncing a message", error);
    }
    for (size_t i = 0; i < count && status == POP3_COLLECT_OK; i++) {
        char path[300];
        message *m = messages[i];
        hidden(m, path);
        if (access(m->name, F_OK) == 0)
            fprintf(stderr, "%s is delivered again\n", m->name);
        if (rename(path, m->name) != 0)
            status = failed("renaming a message", error);
    }
    if (status == POP3_COLLECT_OK && !sync_directory())
        status = failed("syncing the directory", error);
    for (size_t i = 0; i < count; i++)
        end_message(messages[i]);
    return status;
}

/* An existing name may not be on the disk yet. */
static pop3_collect_status find_message(void *ctx, const char *name, bool *there,
                                        pop3_collect_error *error)
{
    (void)ctx;
    *there = access(name, F_OK) == 0;
    return *there && !sync_directory() ? failed("syncing the directory", error) : POP3_COLLECT_OK;
}

static void note(void *ctx, const pop3_visit_notice *n)
{
    (void)ctx;
    if (n->event == POP3_VISIT_FAILED || n->event == POP3_VISIT_WARNING)
        fprintf(stderr, "message %lu: %s\n", (unsigned long)n->number, n->text);
}

int main(int argc, char **argv)
{
    static char password[1024];
    pop3_client_options server = POP3_CLIENT_OPTIONS_INIT;
    pop3_visit_options visit = POP3_VISIT_OPTIONS_INIT;
    pop3_visit_report report = POP3_VISIT_REPORT_INIT;
    pop3_target target = POP3_TARGET_INIT;
    bool blind = argc > 1 && strcmp(argv[1], "--blind") == 0;
    argv += blind;
    bool deletes = argv[1] != NULL && strcmp(argv[1], "--delete") == 0;
    argv += deletes;
    if (argc - blind - deletes != 5 || fgets(password, sizeof password, stdin) == NULL) {
        fputs("usage: collect_files [--blind] [--delete] HOST PORT USER DIRECTORY\n", stderr);
        return 2;
    }
    if ((mkdir(argv[4], 0700) != 0 && errno != EEXIST) || chdir(argv[4]) != 0) {
        perror(argv[4]);
        return 1;
    }
    password[strcspn(password, "\n")] = '\0';
    server.host = argv[1];
    server.port = (uint16_t)strtoul(argv[2], NULL, 10);
    server.security = POP3_SECURITY_PLAIN;
    server.allow_plaintext_password = true;
    target.id = "files";
    target.begin = begin_message;
    target.write = write_message;
    target.commit = commit_messages;
    target.abort = abort_message;
    target.find = blind ? NULL : find_message;
    visit.connection = &server;
    visit.user = argv[3];
    visit.password = password;
    visit.memory = ".seen";
    visit.target = &target;
    visit.removal = deletes ? POP3_REMOVAL_DELIVERED : POP3_REMOVAL_NEVER;
    visit.notice = note;
    if (pop3_visit(&visit, &report) != POP3_COLLECT_OK)
        fprintf(stderr, "%s: %s\n", argv[1], report.error.message);
    return report.error.status == POP3_COLLECT_OK ? 0 : 1;
}

/* pop3-testserver under a test's control. */
#define _POSIX_C_SOURCE 200809L
#include "support/server.h"

#include "support/scratch.h"
#include "support/text.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The script with " in the place of ', and each statement on a line of its own; for free(). */
static char *prepared(const char *script)
{
    text t = {0};
    bool inside = false;
    text_add(&t, script, strlen(script));
    for (size_t i = 0; i < t.len; i++) {
        if (t.data[i] == '\'') {
            t.data[i] = '"';
            inside = !inside;
        } else if (t.data[i] == ';' && !inside) {
            t.data[i] = '\n';
        }
    }
    return t.data;
}

static bool read_ready(server *s)
{
    char line[200];
    return process_read_line(&s->process, line, sizeof line) &&
           sscanf(line, "ready port=%" SCNu16 " tls-port=%" SCNu16, &s->port, &s->tls_port) == 2;
}

bool server_start(server *s, const char *script, const char *const *options)
{
    static unsigned servers;
    char name[40];
    const char *argv[SERVER_OPTIONS + 8];
    size_t n = 0;
    *s = SERVER_NONE;
    snprintf(name, sizeof name, "server-%u.log", ++servers);
    snprintf(s->log, sizeof s->log, "%s", scratch_file(name));
    argv[n++] = getenv("POP3_TESTSERVER");
    argv[n++] = "--log";
    argv[n++] = s->log;
    if (script != NULL) {
        argv[n++] = "--script";
        argv[n++] = "-";
    }
    for (size_t i = 0; i < SERVER_OPTIONS && options[i] != NULL; i++)
        argv[n++] = options[i];
    argv[n] = NULL;
    if (argv[0] == NULL) {
        fprintf(stderr, "POP3_TESTSERVER is not set\n");
        return false;
    }
    char *input = prepared(script != NULL ? script : "");
    bool ok = process_start(&s->process, argv, input) && read_ready(s);
    free(input);
    if (!ok) {
        char *errors = server_stop(s);
        fprintf(stderr, "the test server did not start: %s\n", errors);
        free(errors);
    }
    return ok;
}

int server_wait(server *s)
{
    return process_wait(&s->process, NULL) ? s->process.status : -1;
}

char *server_stop(server *s)
{
    process_stop(&s->process, SIGTERM);
    char *errors = process_errors(&s->process);
    process_forget(&s->process);
    if (s->log[0] != '\0')
        remove(s->log);
    s->log[0] = '\0';
    return errors;
}

char *server_log(const server *s)
{
    return text_of_file(s->log).data;
}

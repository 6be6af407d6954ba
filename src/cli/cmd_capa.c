/* pop3 capa: what the server announces once we are logged in. */
#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/json.h"
#include "cli/mailbox.h"
#include "cli/output.h"
#include "cli/printable.h"

static void print_clean(const char *text)
{
    char *clean = p3_line_clean(text, strlen(text));
    p3_print(stdout, "%s\n", clean != NULL ? clean : "");
    free(clean);
}

static bool print_lines(const pop3_capabilities *caps, bool json)
{
    json_t *list = json ? json_array() : NULL;
    for (size_t i = 0; i < caps->line_count; i++) {
        if (json)
            json_array_append_new(list, p3_json_text(caps->lines[i], strlen(caps->lines[i])));
        else
            print_clean(caps->lines[i]);
    }
    return !json || p3_json_line(list);
}

int p3_cmd_capa(p3_arguments *a)
{
    p3_session_with m;
    const pop3_capabilities *caps;
    int result = p3_mailbox_open(&m, a);
    if (result == EX_OK) {
        pop3_status status = pop3_client_capa(m.client, &caps);
        if (status != POP3_OK)
            result = p3_mailbox_complain(&m, status);
        else if (!print_lines(caps, a->run.json))
            result = EX_IOERR;
    }
    return p3_mailbox_close(&m, result);
}

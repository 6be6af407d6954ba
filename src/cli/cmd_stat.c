/* pop3 stat: prints the number of messages and their total size. */
#include "cli/command.h"

#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>

#include "cli/json.h"
#include "cli/mailbox.h"
#include "cli/output.h"
#include "cli/size_text.h"

int p3_cmd_stat(p3_arguments *a)
{
    p3_mailbox_session m;
    pop3_stat drop;
    char size[P3_SHORT_TEXT];
    int result = p3_mailbox_open(&m, a);
    if (result == EX_OK) {
        pop3_status status = pop3_client_stat(m.client, &drop);
        if (status != POP3_OK)
            result = p3_mailbox_print_error(&m, status);
        else if (a->run.json)
            result = p3_json_line(json_pack("{s:o,s:o}", "messages", p3_json_number(drop.count),
                                            "octets", p3_json_octets(drop.octets)))
                         ? EX_OK
                         : EX_IOERR;
        else
            p3_print(stdout, "%" PRIu64 " messages, %s\n", drop.count,
                     p3_size_text(drop.octets, size));
    }
    return p3_mailbox_close(&m, result);
}

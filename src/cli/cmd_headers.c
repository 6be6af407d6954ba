/* pop3 list and pop3 headers: print a table of the messages; headers --verbose prints every field.
 */
#include "cli/command.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "cli/json.h"
#include "support/header_field.h"
#include "support/mail_date.h"
#include "cli/output.h"
#include "support/rfc2047.h"
#include "cli/message_selection.h"
#include "cli/size_text.h"
#include "cli/table.h"
#include "support/fingerprint.h"

/* Without TOP, messages of at most this size are retrieved for their headers; of larger ones only
 * number and size are shown. */
#define P3_SMALL ((uint64_t)64 * 1024)

/* A longer text before a colon is not the name of a field. */
#define P3_NAME_MOST 80

/* Commands that are submitted to the client at a time. */
#define P3_WINDOW 1000

/* Received headers, in the order of the requests. */
typedef struct p3_headers {
    const p3_arguments *arguments;
    p3_mailbox_session *mailbox;
    p3_selection selection;
    bool every_field;
    p3_header header; /* of the current message */
    p3_column columns[5];
    bool probing; /* the first TOP shows whether the server has it */
    bool no_top;
    int result;
    uint64_t shown;
} p3_headers;

static uint64_t size_of(const p3_headers *h, uint32_t number)
{
    const p3_listed *l = &h->selection.listed;
    size_t i = p3_listed_from(l, number);
    return i < l->count ? p3_listed_octets(l, i) : POP3_OCTETS_UNKNOWN;
}

static char *field(const p3_headers *h, const char *name)
{
    size_t len = 0;
    const char *value = p3_header_field(h->header.data, h->header.len, name, &len);
    return value != NULL ? p3_rfc2047_decode(value, len) : strdup("");
}

static bool add_field(json_t *o, const p3_headers *h, const char *key, const char *name)
{
    char *text = field(h, name);
    bool ok = text != NULL && json_object_set_new(o, key, json_string(text)) == 0;
    free(text);
    return ok;
}

/* Calls a function for each field, with its name and its decoded value. */
static bool for_each_field(const p3_headers *h,
                           bool (*call)(void *ctx, const char *name, const char *value), void *ctx)
{
    const char *at = h->header.data;
    const char *end = at + h->header.len;
    p3_field f;
    while (p3_field_next(&at, end, &f)) {
        if (f.name_len == 0 || f.name_len >= P3_NAME_MOST)
            continue;
        char *name = p3_rfc2047_decode(f.name, f.name_len);
        char *value = p3_rfc2047_decode(f.value, (size_t)(f.end - f.value));
        bool ok = name != NULL && value != NULL && call(ctx, name, value);
        free(name);
        free(value);
        if (!ok)
            return false;
    }
    return true;
}

static bool print_field(void *ctx, const char *name, const char *value)
{
    (void)ctx;
    return p3_print(stdout, "%s: %s\n", name, value);
}

static bool add_pair(void *ctx, const char *name, const char *value)
{
    json_t *pair = json_pack("[ss]", name, value);
    return pair != NULL && json_array_append_new(ctx, pair) == 0;
}

static bool print_json(const p3_headers *h, uint32_t number)
{
    json_t *o = json_object();
    bool ok = json_object_set_new(o, "number", json_integer(number)) == 0 &&
              json_object_set_new(o, "octets", p3_json_octets(size_of(h, number))) == 0 &&
              add_field(o, h, "date", "Date") && add_field(o, h, "from", "From") &&
              add_field(o, h, "subject", "Subject");
    if (ok && h->every_field) {
        json_t *fields = json_array();
        ok = for_each_field(h, add_pair, fields) && json_object_set_new(o, "fields", fields) == 0;
    }
    if (ok)
        return p3_json_line(o);
    json_decref(o);
    return false;
}

/* "Ann Lee <ann@example.org>" is shown as "Ann Lee". */
static void shorten_address(char *text)
{
    char *angle = strchr(text, '<');
    if (angle == NULL || angle == text)
        return;
    while (angle > text && angle[-1] == ' ')
        angle--;
    *angle = '\0';
    size_t len = strlen(text);
    if (len > 1 && text[0] == '"' && text[len - 1] == '"') {
        memmove(text, text + 1, len - 2);
        text[len - 2] = '\0';
    }
}

static bool print_row(const p3_headers *h, uint32_t number)
{
    char digits[16];
    char size[P3_SHORT_TEXT];
    char when[P3_DATE_TEXT];
    char *date = field(h, "Date");
    char *from = field(h, "From");
    char *subject = field(h, "Subject");
    bool ok = date != NULL && from != NULL && subject != NULL;
    if (ok) {
        snprintf(digits, sizeof digits, "%u", number);
        shorten_address(from);
        const char *texts[] = {digits, p3_size_text(size_of(h, number), size),
                               p3_mail_date_text(date, when), from, subject};
        p3_table_row(stdout, h->columns, texts, 5);
    }
    free(date);
    free(from);
    free(subject);
    return ok && ferror(stdout) == 0;
}

static bool print_fields(const p3_headers *h, uint32_t number)
{
    uint64_t octets = size_of(h, number);
    if (octets == POP3_OCTETS_UNKNOWN)
        p3_print(stdout, "%smessage %u\n", h->shown > 0 ? "\n" : "", number);
    else
        p3_print(stdout, "%smessage %u, %" PRIu64 " octets\n", h->shown > 0 ? "\n" : "", number,
                 octets);
    return for_each_field(h, print_field, NULL);
}

static pop3_sink_result take_header(void *ctx, const char *data, size_t len)
{
    p3_headers *h = ctx;
    p3_header_take(&h->header, data, len);
    return POP3_SINK_CONTINUE;
}

/* Prints what is known about a message; its header may be missing. */
static void print(p3_headers *h, uint32_t number)
{
    bool ok = h->arguments->run.json ? print_json(h, number)
              : h->every_field       ? print_fields(h, number)
                                     : print_row(h, number);
    if (!ok && h->result == EX_OK)
        h->result = EX_IOERR;
    h->shown++;
}

static void header_ended(void *ctx, pop3_client *client, const pop3_result *result)
{
    p3_headers *h = ctx;
    (void)client;
    if (result->status == POP3_ERR_REFUSED && h->probing) {
        h->no_top = true;
        return;
    }
    if (result->status == POP3_ERR_REFUSED)
        h->result = p3_mailbox_print_error(h->mailbox, result->status);
    if (result->status == POP3_ERR_REFUSED || result->status == POP3_OK)
        print(h, result->number);
    p3_header_reset(&h->header);
}

static void begin_table(p3_headers *h)
{
    static const p3_column columns[] = {{"No.", 6, true},
                                        {"Size", 8, true},
                                        {"Date", 16, false},
                                        {"From", 22, false},
                                        {"Subject", 0, false}};
    const char *titles[5];
    memcpy(h->columns, columns, sizeof columns);
    for (size_t i = 0; i < 5; i++)
        titles[i] = columns[i].title;
    unsigned terminal = p3_table_terminal(stdout);
    p3_table_fit(h->columns, 5, terminal);
    if (terminal > 0 && !h->arguments->run.json && !h->every_field)
        p3_table_row(stdout, h->columns, titles, 5);
}

/* Requests a message's header by TOP or RETR. */
static pop3_status submit_header(p3_headers *h, uint32_t number)
{
    pop3_client *client = h->mailbox->client;
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    pop3_command command = POP3_COMMAND_INIT;
    handlers.sink = take_header;
    handlers.done = header_ended;
    handlers.ctx = h;
    command.kind = h->no_top ? POP3_CMD_RETR : POP3_CMD_TOP;
    command.number = number;
    if (!h->no_top || size_of(h, number) <= P3_SMALL)
        return pop3_client_submit(client, &command, &handlers);
    pop3_status status = pop3_client_run(client); /* earlier requests end first */
    if (status == POP3_OK)
        print(h, number);
    return status;
}

/* Requests the first header alone: if TOP is refused, requests it by RETR. */
static pop3_status probe(p3_headers *h, uint32_t number)
{
    h->probing = true;
    pop3_status status = submit_header(h, number);
    if (status == POP3_OK)
        status = pop3_client_run(h->mailbox->client);
    h->probing = false;
    return status == POP3_OK && h->no_top ? submit_header(h, number) : status;
}

/* Requests the headers that have not been shown, as many at a time as the server accepts. */
static pop3_status ask_on_connection(p3_headers *h)
{
    p3_walk w = {.selection = &h->selection};
    for (uint64_t i = 0; i < h->shown; i++)
        (void)p3_walk_next(&w);
    p3_header_reset(&h->header);
    h->no_top = h->no_top || (h->mailbox->options.traits.flags & POP3_TRAIT_NO_TOP) != 0;
    const pop3_capabilities *caps = pop3_client_capabilities(h->mailbox->client);
    pop3_status status = POP3_OK;
    bool probes = !h->no_top && (caps == NULL || (caps->flags & POP3_CAP_TOP) == 0);
    for (bool more = true; more && status == POP3_OK;) {
        for (size_t k = 0; k < P3_WINDOW && status == POP3_OK && (more = p3_walk_next(&w)); k++) {
            status = probes ? probe(h, w.number) : submit_header(h, w.number);
            probes = false;
        }
        pop3_status ran = pop3_client_run(h->mailbox->client);
        if (status == POP3_OK)
            status = ran;
    }
    return status;
}

static int ask_for_headers(p3_headers *h)
{
    int result = EX_OK;
    pop3_status status;
    p3_comeback back = P3_COMEBACK_DONE;
    do {
        status = ask_on_connection(h);
        if (status != POP3_OK)
            back = p3_mailbox_come_back(h->mailbox, status, &result);
    } while (status != POP3_OK && back == P3_COMEBACK_DONE);
    if (status == POP3_OK)
        return h->result;
    return back == P3_COMEBACK_FAILED ? result : p3_mailbox_print_error(h->mailbox, status);
}

static int show_headers(p3_headers *h)
{
    int result = p3_selection_find(&h->selection, h->mailbox, true);
    if (result == EX_OK) {
        begin_table(h);
        result = ask_for_headers(h);
    }
    p3_header_free(&h->header);
    return result;
}

static int list_headers(p3_arguments *a, bool every_field)
{
    p3_mailbox_session m;
    p3_problem why;
    p3_headers h = {.arguments = a, .mailbox = &m, .every_field = every_field};
    if (!p3_selection_read(&h.selection, a, &why))
        return p3_print_problem(NULL, &why);
    int result = p3_mailbox_open(&m, a);
    if (result == EX_OK)
        result = show_headers(&h);
    result = p3_mailbox_close(&m, result);
    p3_selection_free(&h.selection);
    return result;
}

int p3_cmd_list(p3_arguments *a)
{
    return list_headers(a, false);
}

int p3_cmd_headers(p3_arguments *a)
{
    return list_headers(a, a->run.verbose || a->run.json);
}

/* pop3 uidl: the unique-ids of the messages. */
#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include "cli/json.h"
#include "cli/mailbox.h"
#include "cli/rfc2047.h"

static bool print_entry(const pop3_entry *e, bool json)
{
    if (!json) {
        char *uid = p3_line_clean(e->uid.data, e->uid.len);
        bool ok = uid != NULL && printf("%u %s\n", e->number, uid) > 0;
        free(uid);
        return ok;
    }
    json_t *o = json_object();
    json_object_set_new(o, "number", json_integer(e->number));
    json_object_set_new(o, "uid", p3_json_text(e->uid.data, e->uid.len));
    return p3_json_line(o);
}

static const pop3_entry *find(const pop3_listing *l, uint32_t number)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->entries[i].number == number)
            return &l->entries[i];
    }
    return NULL;
}

/* Those that were asked for. */
static int print_some(const p3_arguments *a, const pop3_listing *l)
{
    int result = EX_OK;
    size_t count = 0;
    uint64_t most = l->count > 0 ? l->entries[l->count - 1].number : 0;
    uint32_t *numbers = p3_mailbox_numbers(a, most, &count, &result);
    for (size_t i = 0; numbers != NULL && i < count && result == EX_OK; i++) {
        const pop3_entry *e = find(l, numbers[i]);
        if (e != NULL && !print_entry(e, a->json))
            result = EX_IOERR;
    }
    free(numbers);
    return result;
}

static int print_all(const p3_arguments *a, const pop3_listing *l)
{
    for (size_t i = 0; i < l->count; i++) {
        if (!print_entry(&l->entries[i], a->json))
            return EX_IOERR;
    }
    return EX_OK;
}

int p3_cmd_uidl(p3_arguments *a)
{
    p3_session_with m;
    pop3_listing *listing = NULL;
    int result = p3_mailbox_open(&m, a);
    if (result == EX_OK) {
        pop3_status status = pop3_client_uidl_all(m.client, &listing);
        if (status != POP3_OK)
            result = p3_mailbox_complain(&m, status);
        else
            result = a->count > 1 ? print_some(a, listing) : print_all(a, listing);
    }
    pop3_listing_free(listing);
    return p3_mailbox_close(&m, result);
}

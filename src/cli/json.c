/* JSON output, with jansson. */
#include "cli/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "support/printable.h"

static int write_json(const char *text, size_t len, void *printer)
{
    return p3_printer_put(printer, text, len) ? 0 : -1;
}

bool p3_json_line(json_t *object)
{
    if (object == NULL)
        return false;
    p3_printer p = {.out = stdout, .escapes = true};
    bool ok = json_dump_callback(object, write_json, &p, JSON_COMPACT | JSON_PRESERVE_ORDER) == 0 &&
              p3_printer_put(&p, "\n", 1) && fflush(stdout) == 0;
    json_decref(object);
    return ok;
}

json_t *p3_json_text(const char *text, size_t len)
{
    char *clean = p3_utf8_clean(text, len);
    json_t *out = clean != NULL ? json_string(clean) : NULL;
    free(clean);
    return out;
}

static const char *name_of(p3_notice_kind kind)
{
    static const char *const names[] = {
        [P3_NOTICE_BEGUN] = "begun",     [P3_NOTICE_LISTED] = "listed",
        [P3_NOTICE_MESSAGE] = "message", [P3_NOTICE_DELIVERED] = "delivered",
        [P3_NOTICE_WOULD] = "would",     [P3_NOTICE_SKIPPED] = "skipped",
        [P3_NOTICE_FAILED] = "failed",   [P3_NOTICE_WAITING] = "waiting",
        [P3_NOTICE_OVER] = "over",       [P3_NOTICE_WARNING] = "remark"};
    return names[kind];
}

json_t *p3_json_number(uint64_t n)
{
    return n <= INT64_MAX ? json_integer((json_int_t)n) : json_real((double)n);
}

json_t *p3_json_octets(uint64_t n)
{
    return n == POP3_OCTETS_UNKNOWN ? json_null() : p3_json_number(n);
}

static void add_tally(json_t *o, const p3_tally *t)
{
    json_object_set_new(o, "listed", p3_json_number(t->listed));
    json_object_set_new(o, "wanted", p3_json_number(t->wanted));
    json_object_set_new(o, "retrieved", p3_json_number(t->retrieved));
    json_object_set_new(o, "octets", p3_json_number(t->octets));
    json_object_set_new(o, "delivered", p3_json_number(t->delivered));
    json_object_set_new(o, "refused", p3_json_number(t->refused));
    json_object_set_new(o, "deleted", p3_json_number(t->deleted));
    json_object_set_new(o, "skipped", p3_json_number(t->skipped));
    json_object_set_new(o, "passed_over", p3_json_number(t->passed_over));
    json_object_set_new(o, "failed", p3_json_number(t->failed));
    json_object_set_new(o, "unseen", p3_json_number(t->unseen));
    json_object_set_new(o, "undeleted", p3_json_number(t->undeleted));
}

void p3_json_notice(const p3_notice *n)
{
    json_t *o = json_object();
    json_object_set_new(o, "event", json_string(name_of(n->kind)));
    json_object_set_new(o, "account", p3_json_text(n->account->name, strlen(n->account->name)));
    if (n->number > 0) {
        json_object_set_new(o, "number", p3_json_number(n->number));
        json_object_set_new(o, "uid", p3_json_text(n->uid.data, n->uid.len));
        if (n->octets > 0)
            json_object_set_new(o, "octets", p3_json_octets(n->octets));
    } else if (n->kind != P3_NOTICE_BEGUN) {
        add_tally(o, n->tally);
    }
    if (n->text[0] != '\0')
        json_object_set_new(o, "text", p3_json_text(n->text, strlen(n->text)));
    if (n->kind == P3_NOTICE_WAITING)
        json_object_set_new(o, "seconds", json_real(n->seconds));
    if (n->problem != NULL) {
        json_object_set_new(o, "error", p3_json_text(n->problem->text, strlen(n->problem->text)));
        json_object_set_new(o, "status", json_integer(n->problem->exit));
    } else if (n->kind == P3_NOTICE_OVER) {
        json_object_set_new(o, "status", json_integer(0));
    }
    (void)p3_json_line(o); /* a closed pipe does not stop the run */
}

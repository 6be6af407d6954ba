/* Intents that an earlier run left over: which of them were carried out. */
#include "sync/session.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

/* The fingerprint of a message that was delivered, so far as it can be read back unaltered. False
 * when that fails: without it a server without unique-ids would have it delivered again. */
static bool read_fingerprint(p3_session *s, p3_delivery *d, p3_row *row, char *room)
{
    p3_header h = {0};
    p3_problem why;
    if (d->class->read_back == NULL || s->account->received || s->account->delivered_to != NULL)
        return true;
    ssize_t n = d->class->read_back(d, row->name, room, P3_HEADER_MOST);
    if (n < 0) {
        p3_problem_errno(&why, errno, "reading what was delivered as %s", row->name);
        p3_session_fail(s, &why);
        return false;
    }
    p3_header_take(&h, room, (size_t)n);
    bool failed = h.failed;
    if (failed)
        p3_session_fail_memory(s);
    else if (h.done)
        row->fingerprint = p3_fingerprint_of(h.data, h.len);
    p3_header_free(&h);
    return !failed;
}

/* Records which intents turned out to be delivered, and with what header. */
static bool settle_rows(p3_session *s, p3_delivery *d, const p3_left_over *left, size_t count)
{
    char *room = malloc(P3_HEADER_MOST);
    p3_change *changes = calloc(count, sizeof *changes);
    size_t n = 0;
    if (room == NULL || changes == NULL) {
        free(room);
        free(changes);
        p3_session_fail_memory(s);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        p3_row *row = &s->rows.at[left[i].row];
        if (!left[i].there)
            continue;
        if (!read_fingerprint(s, d, row, room)) {
            free(room);
            free(changes);
            return false;
        }
        row->standing = P3_DELIVERED;
        row->time = time(NULL);
        row->name = "";
        s->tally.delivered++;
        changes[n++].row = *row;
    }
    free(room);
    return p3_session_record(s, changes, n, NULL, "settled");
}

/* Looks at the target for what an earlier run may have delivered without recording it. */
bool p3_session_settle(p3_session *s)
{
    p3_problem why = {0};
    size_t count = 0;
    for (size_t i = 0; i < s->rows.count; i++)
        count += s->rows.at[i].standing == P3_INTENT;
    if (count == 0 || s->known.target == NULL || s->run->options->dry_run)
        return true;
    p3_left_over *left = calloc(count, sizeof *left);
    p3_delivery *d = left != NULL ? p3_delivery_open(s->known.target, &why) : NULL;
    bool ok = d != NULL;
    count = 0;
    for (size_t i = 0; ok && i < s->rows.count; i++) {
        if (s->rows.at[i].standing == P3_INTENT && s->rows.at[i].name[0] != '\0')
            left[count++] = (p3_left_over){.name = s->rows.at[i].name, .row = i};
    }
    if (ok && count > 0) {
        ok = d->class->settle(d, left, count, &why);
        if (ok)
            ok = settle_rows(s, d, left, count);
    }
    if (left == NULL)
        p3_session_fail_memory(s);
    else if (!ok && why.exit != 0)
        p3_session_fail(s, &why);
    s->settled = d; /* closed when what was found is recorded */
    free(left);
    return ok;
}

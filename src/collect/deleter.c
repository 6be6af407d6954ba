/* DELE and QUIT. */
#include "collect/deleter.h"

#include <stdlib.h>
#include <time.h>

#include "collect/failure_text.h"
#include "support/crash_point.h"

static void deleted(void *ctx, p3_mail *mail, const pop3_result *result)
{
    p3_deleter *d = ctx;
    p3_crash_point("dele-answered");
    if (d->drop->over)
        return;
    mail->marked = result->status == POP3_OK;
    if (result->status == POP3_ERR_REFUSED) {
        p3_problem why;
        p3_describe_refused_message(d->drop->client, &why);
        p3_report_tell(d->drop->report, P3_NOTICE_FAILED, mail, NULL, &why);
    } else if (result->status != POP3_OK) {
        if (result->sent) /* the first one that fails is the one that the server was processing */
            d->broke = mail;
        p3_maildrop_lost(d->drop, result->status);
    }
}

int64_t p3_deletion_key(const p3_maildrop *drop, const p3_mail *mail)
{
    /* a message without a row is deleted because of its size */
    return mail->row != P3_NO_ROW ? p3_maildrop_row(drop, mail)->id : -(int64_t)mail->number;
}

bool p3_deletion_broke_before(const p3_maildrop *drop, const p3_mail *mail)
{
    return mail->row != P3_NO_ROW && p3_maildrop_row(drop, mail)->broke != 0;
}

void p3_deleter_init(p3_deleter *d, p3_maildrop *drop)
{
    d->drop = drop;
    d->window = p3_window_for(drop, POP3_CMD_DELE, d);
    d->window.done = deleted;
}

void p3_deleter_add(p3_deleter *d, const p3_mail *mail)
{
    if (d->drop->over)
        return;
    size_t i = (size_t)(mail - d->drop->box.at);
    d->drop->box.at[i].leaves = true;
    p3_window_add(&d->window, i);
    p3_window_fill(&d->window);
}

void p3_deleter_remember(const p3_deleter *d, p3_recorder *r, p3_blame blame)
{
    const p3_rows *rows = &d->drop->rows;
    p3_changes changes = {0};
    for (size_t i = 0; i < rows->count; i++) {
        p3_row *row = &rows->at[i];
        bool at = blame == P3_BLAME_MESSAGE && d->broke != NULL && d->broke->row == i;
        if (!at && (blame != P3_BLAME_SERVER || row->broke == 0))
            continue;
        row->broke = at ? time(NULL) : 0;
        (void)p3_changes_add(&changes, row);
    }
    p3_recorder_add_changes(r, changes, NULL);
}

static void quit_answered(void *ctx, pop3_client *client, const pop3_result *result)
{
    p3_deleter *d = ctx;
    p3_crash_point("quit-answered");
    if (d->drop->over)
        return;
    if (result->status != POP3_OK && pop3_client_deletions(client) > 0) {
        p3_maildrop_lost(d->drop, result->status);
        return;
    }
    d->quit = result->status == POP3_OK ? P3_QUIT_ANSWERED : P3_QUIT_NOT_ANSWERED;
    p3_maildrop_advance(d->drop);
}

void p3_deleter_quit(p3_deleter *d)
{
    p3_crash_point("before-quit");
    p3_maildrop_submit(d->drop, POP3_CMD_QUIT, NULL, quit_answered, d);
}

size_t p3_deleter_record(const p3_deleter *d, p3_recorder *r, p3_standing standing,
                         const char *reached)
{
    const p3_window *w = &d->window;
    size_t marked = 0;
    p3_changes changes = {0};
    for (size_t i = 0; i < w->count; i++) {
        const p3_mail *mail = &d->drop->box.at[w->mails[i]];
        marked += mail->marked;
        if (mail->marked && mail->row != P3_NO_ROW)
            p3_recorder_change(r, &changes, mail, standing);
    }
    p3_recorder_add_changes(r, changes, reached);
    return marked;
}

void p3_deleter_free(p3_deleter *d)
{
    p3_window_free(&d->window);
}

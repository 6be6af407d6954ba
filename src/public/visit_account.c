/* The options of a visit, for the rooms below. */
#include "public/visit_account.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "system/erase.h"

#define P3_RETRY_MS 10000

/* Most octets of an account's name, and of a target's. */
#define P3_NAME_MOST 1024

/* What a pop3_secret_fn has room for. */
#define P3_SECRET_ROOM 49152

static bool refuse_options(p3_problem *why, const char *text)
{
    return p3_problem_set(why, EX_CONFIG, "visiting an account: %s", text);
}

/* ---- the secret ---- */

static void forget_secret(p3_secret *s)
{
    if (s->text != NULL)
        p3_erase(s->text, s->len);
    free(s->text);
    *s = (p3_secret){0};
}

static bool copy_secret(p3_secret *out, const char *text, size_t len, bool is_token)
{
    out->text = malloc(len + 1);
    if (out->text == NULL)
        return false;
    memcpy(out->text, text, len);
    out->text[len] = '\0';
    out->len = len;
    out->is_token = is_token;
    return true;
}

static bool takes_token(const char *mechanism)
{
    return (pop3_login_mechanism_needs(mechanism) & POP3_NEEDS_TOKEN) != 0;
}

/* Asks the caller for one kind. Returns POP3_ERR_NOT_OFFERED when there is none. */
static pop3_status ask_for(const pop3_visit_options *o, pop3_secret_kind kind, p3_secret *out)
{
    size_t len = 0;
    char *room = malloc(P3_SECRET_ROOM);
    if (room == NULL)
        return POP3_ERR_MEMORY;
    pop3_status status = o->secret(o->secret_ctx, kind, o->user, room, P3_SECRET_ROOM, &len);
    if (status == POP3_OK && (len > P3_SECRET_ROOM || memchr(room, '\0', len) != NULL))
        status = POP3_ERR_ARGUMENT;
    if (status == POP3_OK && !copy_secret(out, room, len, kind == POP3_SECRET_TOKEN))
        status = POP3_ERR_MEMORY;
    out->renewable = status == POP3_OK && kind == POP3_SECRET_TOKEN;
    p3_erase(room, P3_SECRET_ROOM);
    free(room);
    return status;
}

static bool ask_caller(const pop3_visit_options *o, bool renews, p3_secret *out, p3_problem *why)
{
    bool token_only = renews || takes_token(o->mechanism);
    pop3_status status = POP3_ERR_NOT_OFFERED;
    if (!token_only)
        status = ask_for(o, POP3_SECRET_PASSWORD, out);
    if (status == POP3_ERR_NOT_OFFERED)
        status = ask_for(o, POP3_SECRET_TOKEN, out);
    return status == POP3_OK ||
           p3_problem_set(
               why, status == POP3_ERR_MEMORY ? EX_OSERR : EX_NOPERM, "finding the password: %s",
               status == POP3_ERR_NOT_OFFERED ? "there is none" : pop3_status_message(status));
}

/* A p3_secret_fn. A login by a certificate or a ticket has none. */
static bool provide_secret(void *ctx, p3_secret *out, p3_problem *why)
{
    const pop3_visit_options *o = ctx;
    bool renews = out->text != NULL;
    const char *given = o->token != NULL ? o->token : o->password;
    forget_secret(out);
    if (given == NULL && o->secret != NULL)
        return ask_caller(o, renews, out, why);
    if (given == NULL)
        return true;
    return copy_secret(out, given, strlen(given), o->token != NULL) ||
           p3_problem_set(why, EX_OSERR, "finding the password: out of memory");
}

/* ---- the options ---- */

static bool is_name(const char *text)
{
    return text[0] != '\0' && strlen(text) <= P3_NAME_MOST && strpbrk(text, "\r\n") == NULL;
}

/* What is wrong with a target of the caller's; NULL: nothing. */
static const char *target_problem(const pop3_target *t)
{
    if (t->size < sizeof *t)
        return "the target's size is not set";
    if (t->id == NULL || !is_name(t->id))
        return "the target's id is missing, too long, or has line ends";
    if (t->begin == NULL || t->write == NULL || t->commit == NULL || t->abort == NULL)
        return "the target lacks begin, write, commit or abort";
    return NULL;
}

static const char *options_problem(const pop3_visit_options *o)
{
    if (o->memory == NULL || o->memory[0] == '\0')
        return "no file for the memory was given";
    if (o->connection == NULL)
        return "no connection was given";
    if (o->account != NULL && !is_name(o->account))
        return "the account's name is empty, too long, or has line ends";
    if (o->account == NULL && o->user == NULL)
        return "neither a user nor the account's name was given";
    if ((o->maildir != NULL) == (o->target != NULL))
        return "set either maildir or target";
    if (o->maildir != NULL && o->maildir[0] == '\0')
        return "the Maildir's path is empty";
    if ((unsigned)o->line_ends > POP3_LINE_ENDS_CRLF || (unsigned)o->removal > POP3_REMOVAL_AFTER ||
        (unsigned)o->start > POP3_VISIT_CONTINUE)
        return "line_ends, removal or start has an unknown value";
    if (o->remove_after < 0 || o->remove_after > INT32_MAX || o->retry_ms < 0)
        return "remove_after or retry_ms is out of range";
    const char *problem = o->target != NULL ? target_problem(o->target) : NULL;
    const pop3_client_options *c = o->connection;
    if (problem == NULL && (c->size != sizeof *c || c->engine.size != sizeof c->engine))
        problem = "the connection's size is not that of this library";
    return problem != NULL ? problem : pop3_client_options_problem(c);
}

static void take_account(p3_visit_account *a)
{
    const pop3_visit_options *o = &a->options;
    a->account.connection = *o->connection; /* it has the size of ours */
    a->account.connection.socket = NULL;
    a->account.name = a->account.key = o->account != NULL ? o->account : a->key;
    a->account.user = o->user;
    a->account.mechanism = o->mechanism;
    a->account.channel_binding = o->channel_binding;
    a->account.utf8 = o->utf8;
    a->account.secret = provide_secret;
    a->account.secret_ctx = &a->options;
    a->account.secret_at_hand = true;
    a->account.max_size = o->max_size;
    a->account.message_limit = o->message_limit;
    a->account.limit = o->limit;
    a->account.remove_after = o->remove_after;
}

static void take_delivery(p3_visit_account *a)
{
    static const p3_removal removals[] = {P3_REMOVE_NEVER, P3_REMOVE_DELIVERED, P3_REMOVE_AFTER};
    static const p3_line_ends ends[] = {P3_LINES_LF, P3_LINES_CRLF};
    const pop3_visit_options *o = &a->options;
    bool calls = o->target != NULL;
    const char *where = calls ? o->target->id : o->maildir;
    a->envelope = (p3_envelope){.callbacks = o->target};
    a->account.target = (p3_target){.kind = calls ? P3_TARGET_CALLBACKS : P3_TARGET_MAILDIR,
                                    .where = (char *)(uintptr_t)where,
                                    .envelope = &a->envelope};
    a->account.removal = removals[o->removal];
    a->account.line_ends = ends[o->line_ends];
}

static void take_run(p3_visit_account *a)
{
    static const p3_start starts[] = {P3_START_USUAL, P3_START_NOW, P3_START_FROM_THE_START,
                                      P3_START_CONTINUE};
    const pop3_visit_options *o = &a->options;
    a->run = (p3_sync_options){.state = o->memory,
                               .jobs = 1,
                               .per_host = 1,
                               .start = starts[o->start],
                               .retry_ms = o->retry_ms > 0 ? o->retry_ms : P3_RETRY_MS,
                               .retries = o->retries,
                               .stop_fd = o->stop_fd > 0 ? o->stop_fd : -1};
}

bool p3_visit_account_read(p3_visit_account *a, const pop3_visit_options *options, p3_problem *why)
{
    *a = (p3_visit_account){0};
    if (options == NULL || options->size == 0)
        return refuse_options(why, "the options' size is not set");
    memcpy(&a->options, options,
           options->size < sizeof a->options ? options->size : sizeof a->options);
    const char *problem = options_problem(&a->options);
    if (problem != NULL)
        return refuse_options(why, problem);
    if (a->options.account == NULL) {
        a->key = p3_account_key(a->options.connection, a->options.user);
        if (a->key == NULL)
            return p3_problem_set(why, EX_OSERR, "visiting an account: out of memory");
    }
    take_account(a);
    take_delivery(a);
    take_run(a);
    return true;
}

void p3_visit_account_clear(p3_visit_account *a)
{
    free(a->key);
}

/* A session with an IMAP server: appending. */
#include "deliver/imap_session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>

#include "deliver/imap_label_names.h"
#include "support/clock.h"
#include "support/stop_request.h"
#include "support/crash_point.h"

/* Milliseconds for an answer: RFC 9051 §5.4 lets servers wait for half an hour, and one that
 * observes a quota may be slow. */
#define P3_ANSWER_MS (10 * 60 * 1000)

/* The most messages in flight, and the most octets: enough to fill a line. */
#define P3_WINDOW_MESSAGES 64
#define P3_WINDOW_OCTETS   ((uint64_t)1024 * 1024)

/* The most octets of a message that is sent without asking, with LITERAL- (RFC 7888 §5). */
#define P3_SMALL_LITERAL 4096

/* The most untagged responses to one command. */
#define P3_UNTAGGED_MOST 100000

/* What the server announces. */
enum { P3_LITERAL_PLUS = 1, P3_LITERAL_MINUS = 2, P3_LABELS = 4 };

struct p3_imap_session {
    p3_imap_wire *wire; /* NULL: the session has ended */
    const p3_imap_options *options;
    unsigned announced;
    uint64_t append_limit; /* 0: none */
    bool is_proven;        /* a message was accepted: the folder exists */
    unsigned tag;          /* of the last command */
    size_t under_way;      /* messages: their tags are the last ones */
    uint64_t octets_under_way;
    uint64_t sizes[P3_WINDOW_MESSAGES]; /* a ring, by the tag */
    char folder[2 * sizeof((p3_imap_address *)0)->folder + 3];
    char labels[1000];
    char bye[300];             /* its text before it closed the connection */
    p3_imap_response response; /* the last one */
};

/* ---- the end ---- */

static void hang_up(p3_imap_session *s)
{
    p3_imap_wire_close(s->wire);
    s->wire = NULL;
    s->under_way = 0;
    s->octets_under_way = 0;
}

bool p3_imap_lose(p3_imap_session *s, const char *doing, p3_problem *why)
{
    int error = errno;
    hang_up(s);
    if (s->bye[0] != '\0')
        return p3_problem_set(why, EX_TEMPFAIL, "%s: the IMAP server ends the connection: %s",
                              doing, s->bye);
    if (error == 0)
        return p3_problem_set(why, EX_TEMPFAIL, "%s: the IMAP server closed the connection", doing);
    if (error == EPROTO)
        return p3_problem_set(why, EX_PROTOCOL,
                              "%s: the IMAP server does not answer as IMAP requires", doing);
    return p3_problem_set(why, EX_TEMPFAIL, "%s: %s", doing, p3_stop_request_reason(error));
}

bool p3_imap_is_usable(const p3_imap_session *s)
{
    return s != NULL && s->wire != NULL;
}

void p3_imap_end(p3_imap_session *s)
{
    static const char logout[] = "p0 LOGOUT\r\n";
    if (s == NULL)
        return;
    if (s->wire != NULL && p3_imap_put(s->wire, logout, sizeof logout - 1) &&
        !p3_imap_flush(s->wire))
        errno = 0; /* the server closed it */
    hang_up(s);
    free(s);
}

/* ---- responses ---- */

bool p3_imap_is_ok(const p3_imap_response *r)
{
    return strncasecmp(r->text, "OK", 2) == 0;
}

/* Whether a tagged response has a code, such as "TRYCREATE". */
static bool has_code(const p3_imap_response *r, const char *code)
{
    const char *open = strchr(r->text, '[');
    size_t len = strlen(code);
    return open != NULL && open - r->text <= 4 && strncasecmp(open + 1, code, len) == 0 &&
           (open[len + 1] == ']' || open[len + 1] == ' ');
}

void p3_imap_parse_number(const p3_imap_response *r, const char *code, uint32_t *number)
{
    size_t len = strlen(code);
    if (strncasecmp(r->text, "OK [", 4) == 0 && strncasecmp(r->text + 4, code, len) == 0 &&
        r->text[4 + len] == ' ')
        *number = (uint32_t)strtoul(r->text + 4 + len, NULL, 10);
}

/* A server's text for display: without control characters. */
static void copy_text(char *out, size_t size, const char *text)
{
    snprintf(out, size, "%.*s", (int)size - 1, text);
    for (char *p = out; *p != '\0'; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            *p = ' ';
    }
}

/* Reads the next response that is not a status update. */
static bool next_response(p3_imap_session *s, int64_t until)
{
    if (!p3_imap_read(s->wire, &s->response, until))
        return false;
    if (s->response.kind == P3_IMAP_UNTAGGED && strncasecmp(s->response.text, "BYE", 3) == 0)
        copy_text(s->bye, sizeof s->bye, s->response.text + (s->response.text[3] == ' ' ? 4 : 3));
    return true;
}

/* Reads up to the tagged response to a command, or to a continuation request, if one may come. */
static bool await(p3_imap_session *s, unsigned tag, bool may_continue, int64_t until,
                  p3_imap_each_fn *each, void *ctx)
{
    for (size_t i = 0; i < P3_UNTAGGED_MOST; i++) {
        const p3_imap_response *r = &s->response;
        if (!next_response(s, until))
            return false;
        if (r->kind == P3_IMAP_TAGGED && r->tag == tag)
            return true;
        if (r->kind == P3_IMAP_CONTINUE && may_continue)
            return true;
        if (r->kind != P3_IMAP_UNTAGGED)
            break;
        if (each != NULL)
            each(ctx, r);
    }
    errno = EPROTO;
    return false;
}

static bool put_text(p3_imap_session *s, const char *text)
{
    return p3_imap_put(s->wire, text, strlen(text));
}

static bool put_tag(p3_imap_session *s)
{
    char tag[20];
    snprintf(tag, sizeof tag, "p%u ", ++s->tag);
    return put_text(s, tag);
}

bool p3_imap_ask(p3_imap_session *s, const char *command, int64_t until, p3_imap_each_fn *each,
                 void *ctx, p3_imap_response *answer)
{
    if (!put_tag(s) || !put_text(s, command) || !put_text(s, "\r\n") || !p3_imap_flush(s->wire) ||
        !await(s, s->tag, false, until, each, ctx))
        return false;
    if (answer != NULL)
        *answer = s->response;
    return true;
}

const char *p3_imap_labels(const p3_imap_session *s)
{
    return s->labels;
}

const char *p3_imap_folder(const p3_imap_session *s)
{
    return s->folder;
}

/* ---- connecting ---- */

static void note_capability(p3_imap_session *s, const char *word, size_t len)
{
    static const struct {
        const char *word;
        unsigned bit;
    } known[] = {{"LITERAL+", P3_LITERAL_PLUS},
                 {"LITERAL-", P3_LITERAL_MINUS},
                 {"IMAP4rev2", P3_LITERAL_MINUS},
                 {"X-GM-EXT-1", P3_LABELS}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strlen(known[i].word) == len && strncasecmp(word, known[i].word, len) == 0)
            s->announced |= known[i].bit;
    }
    if (len > 12 && strncasecmp(word, "APPENDLIMIT=", 12) == 0) /* RFC 7889 */
        s->append_limit = strtoull(word + 12, NULL, 10);
}

static void note_capabilities(void *ctx, const p3_imap_response *r)
{
    const char *at = r->text;
    if (strncasecmp(at, "CAPABILITY ", 11) != 0)
        return;
    while (*at != '\0') {
        size_t len = strcspn(at, " ");
        note_capability(ctx, at, len);
        at += len + strspn(at + len, " ");
    }
}

/* Labels need a server that supports them. */
static bool prepare_labels(p3_imap_session *s, const p3_imap_address *to, p3_problem *why)
{
    const char *names = s->options->labels;
    if (names == NULL || names[0] == '\0')
        return true;
    if (!p3_imap_labels_write(names, s->labels, sizeof s->labels, why))
        return false;
    return (s->announced & P3_LABELS) != 0 ||
           p3_problem_set(why, EX_CONFIG,
                          "setting labels: the IMAP server %.200s has none (it does not announce "
                          "X-GM-EXT-1); remove labels, and deliver to a folder of that name",
                          to->at.server.host);
}

p3_imap_session *p3_imap_connect(const p3_imap_address *to, const p3_imap_options *options,
                                 p3_problem *why)
{
    p3_imap_session *s = calloc(1, sizeof *s);
    if (s == NULL) {
        p3_problem_memory(why);
        return NULL;
    }
    s->options = options;
    p3_imap_quote(to->folder, s->folder);
    s->wire = p3_imap_wire_open(to, options, why);
    if (s->wire != NULL) {
        if (p3_imap_ask(s, "CAPABILITY", p3_clock_ms() + P3_ANSWER_MS, note_capabilities, s,
                        NULL)) {
            p3_crash_point("imap-connected");
            if (prepare_labels(s, to, why))
                return s;
        } else {
            (void)p3_imap_lose(s, "asking the IMAP server what it can do", why);
        }
    }
    p3_imap_end(s);
    return NULL;
}

void p3_imap_turn_to(p3_imap_session *s, const p3_imap_address *to)
{
    char folder[sizeof s->folder];
    p3_imap_quote(to->folder, folder);
    if (strcmp(folder, s->folder) == 0)
        return;
    memcpy(s->folder, folder, sizeof folder);
    s->is_proven = false;
}

/* ---- appending ---- */

size_t p3_imap_under_way(const p3_imap_session *s)
{
    return s != NULL ? s->under_way : 0;
}

/* Whether the server accepts a message without asking for it. */
static bool goes_at_once(const p3_imap_session *s, const p3_imap_mail *mail)
{
    return (s->announced & P3_LITERAL_PLUS) != 0 ||
           ((s->announced & P3_LITERAL_MINUS) != 0 && mail->octets <= P3_SMALL_LITERAL);
}

bool p3_imap_may_send(const p3_imap_session *s, const p3_imap_mail *mail)
{
    return s->under_way == 0 ||
           (s->is_proven && goes_at_once(s, mail) && s->under_way < P3_WINDOW_MESSAGES &&
            s->octets_under_way + mail->octets <= P3_WINDOW_OCTETS);
}

/* Describes a refusal, with advice. */
static p3_imap_outcome describe_refusal(const p3_imap_response *r, p3_problem *why)
{
    static const struct {
        const char *code;
        p3_imap_outcome is;
        const char *advice;
    } known[] = {
        {"TRYCREATE", P3_IMAP_NO_FOLDER, ""},
        {"OVERQUOTA", P3_IMAP_LATER, "; delete mail there, or have the quota raised"},
        {"TOOBIG", P3_IMAP_REFUSED, ""},
        {"APPENDLIMIT", P3_IMAP_REFUSED, ""},
        {"LIMIT", P3_IMAP_LATER, "; delete mail there, or have the limit raised"},
        {"CANNOT", P3_IMAP_REFUSED, ""},
        {"NOPERM", P3_IMAP_LATER, "; check that the user may write to the folder"},
        {"NONEXISTENT", P3_IMAP_NO_FOLDER, ""},
        {"UNAVAILABLE", P3_IMAP_LATER, "; try again later"},
        {"INUSE", P3_IMAP_LATER, "; try again later"},
        {"SERVERBUG", P3_IMAP_LATER, "; tell the administrator of the server"},
        {"CORRUPTION", P3_IMAP_LATER, "; tell the administrator of the server"},
        {"CONTACTADMIN", P3_IMAP_LATER, "; ask the administrator of the server"},
        {"EXPIRED", P3_IMAP_LATER, "; check that the account is valid"},
        {"PRIVACYREQUIRED", P3_IMAP_LATER, "; use imaps://"},
    };
    char text[500];
    copy_text(text, sizeof text, r->text);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (has_code(r, known[i].code)) {
            p3_problem_set(why, known[i].is == P3_IMAP_REFUSED ? EX_UNAVAILABLE : EX_TEMPFAIL,
                           "the IMAP server refuses the message: %s%s", text, known[i].advice);
            return known[i].is;
        }
    }
    p3_problem_set(why, EX_TEMPFAIL, "the IMAP server refuses the message: %s", text);
    return P3_IMAP_DOUBTFUL;
}

/* The command without its literal's octets. */
static bool put_append(p3_imap_session *s, const p3_imap_mail *mail, bool at_once)
{
    char size[40];
    const p3_imap_options *o = s->options;
    bool ok = put_tag(s) && put_text(s, "APPEND ") && put_text(s, s->folder);
    if (o->flags != NULL && o->flags[0] != '\0')
        ok = ok && put_text(s, " (") && put_text(s, o->flags) && put_text(s, ")");
    if (mail->date[0] != '\0')
        ok = ok && put_text(s, " \"") && put_text(s, mail->date) && put_text(s, "\"");
    snprintf(size, sizeof size, " {%llu%s}\r\n", (unsigned long long)mail->octets,
             at_once ? "+" : "");
    return ok && put_text(s, size);
}

/* Waits until the server asks for the literal. */
static p3_imap_outcome await_go(p3_imap_session *s, p3_problem *why)
{
    if (!p3_imap_flush(s->wire) ||
        !await(s, s->tag, true, p3_clock_ms() + P3_ANSWER_MS, NULL, NULL)) {
        (void)p3_imap_lose(s, "announcing the message", why);
        return P3_IMAP_LOST;
    }
    if (s->response.kind == P3_IMAP_CONTINUE)
        return P3_IMAP_SENT;
    if (p3_imap_is_ok(&s->response)) { /* for what was not sent */
        errno = EPROTO;
        (void)p3_imap_lose(s, "announcing the message", why);
        return P3_IMAP_LOST;
    }
    return describe_refusal(&s->response, why);
}

p3_imap_outcome p3_imap_send(p3_imap_session *s, const p3_imap_mail *mail, p3_problem *why)
{
    bool unread = false;
    bool at_once = goes_at_once(s, mail);
    if (s->append_limit > 0 && mail->octets > s->append_limit) {
        p3_problem_set(why, EX_UNAVAILABLE,
                       "the message has %llu octets, and the IMAP server accepts %llu at most",
                       (unsigned long long)mail->octets, (unsigned long long)s->append_limit);
        return P3_IMAP_REFUSED;
    }
    if (!put_append(s, mail, at_once)) {
        (void)p3_imap_lose(s, "announcing the message", why);
        return P3_IMAP_LOST;
    }
    p3_imap_outcome go = at_once ? P3_IMAP_SENT : await_go(s, why);
    if (go != P3_IMAP_SENT)
        return go;
    p3_crash_point("imap-announced");
    /* Its last octets are buffered and sent with the command's end: a message that is lost before
     * that is incomplete. */
    if (!p3_imap_mail_put(mail, s->wire, &unread)) {
        (void)p3_imap_lose(
            s, unread ? "reading a message that waits for the IMAP server" : "sending the message",
            why);
        return P3_IMAP_LOST;
    }
    p3_crash_point("imap-content");
    s->sizes[s->tag % P3_WINDOW_MESSAGES] = mail->octets;
    s->under_way++;
    s->octets_under_way += mail->octets;
    (void)put_text(s, "\r\n");
    return P3_IMAP_SENT;
}

p3_imap_outcome p3_imap_hear(p3_imap_session *s, p3_problem *why)
{
    unsigned tag = s->tag - (unsigned)s->under_way + 1;
    if (!p3_imap_flush(s->wire)) {
        (void)p3_imap_lose(s, "sending the message", why);
        return P3_IMAP_LOST;
    }
    p3_crash_point("imap-sent");
    /* The server may ask for a literal even if it need not. */
    for (int asked = 0; asked == 0 || s->response.kind == P3_IMAP_CONTINUE; asked++) {
        errno = EPROTO;
        if (asked > 1 || !await(s, tag, true, p3_clock_ms() + P3_ANSWER_MS, NULL, NULL)) {
            (void)p3_imap_lose(s, "waiting for the IMAP server's answer to the message", why);
            return P3_IMAP_LOST;
        }
    }
    p3_crash_point("imap-answered");
    s->under_way--;
    s->octets_under_way -= s->sizes[tag % P3_WINDOW_MESSAGES];
    if (!p3_imap_is_ok(&s->response))
        return describe_refusal(&s->response, why);
    s->is_proven = true;
    return P3_IMAP_APPENDED;
}

p3_imap_place p3_imap_appended(const p3_imap_session *s)
{
    p3_imap_place at = {0};
    char *end;
    const char *code = strchr(s->response.text, '[');
    if (!has_code(&s->response, "APPENDUID"))
        return at;
    at.validity = (uint32_t)strtoul(code + sizeof "[APPENDUID", &end, 10);
    at.uid = (uint32_t)strtoul(end, NULL, 10);
    return at;
}

bool p3_imap_make_folder(p3_imap_session *s, p3_problem *why)
{
    char command[sizeof s->folder + 20];
    p3_imap_response answer;
    char text[500];
    snprintf(command, sizeof command, "CREATE %s", s->folder);
    if (!p3_imap_ask(s, command, p3_clock_ms() + P3_ANSWER_MS, NULL, NULL, &answer))
        return p3_imap_lose(s, "creating the folder at the IMAP server", why);
    if (!p3_imap_is_ok(&answer) && !has_code(&answer, "ALREADYEXISTS")) {
        copy_text(text, sizeof text, answer.text);
        return p3_problem_set(
            why, EX_CANTCREAT,
            "creating the folder %s at the IMAP server: %s; create it there, or set another",
            s->folder, text);
    }
    snprintf(command, sizeof command, "SUBSCRIBE %s", s->folder);
    return p3_imap_ask(s, command, p3_clock_ms() + P3_ANSWER_MS, NULL, NULL, NULL) ||
           p3_imap_lose(s, "creating the folder at the IMAP server", why);
}

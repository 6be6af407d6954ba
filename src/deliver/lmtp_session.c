/* A connection to an LMTP or SMTP server. */
#include "deliver/lmtp_session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

#include "support/clock.h"
#include "support/ending.h"
#include "support/fault.h"
#include "support/file.h"

/* Octets of a line that are kept: RFC 5321 §4.5.3.1.5 has 512. The rest is passed over. */
#define P3_REPLY_LINE 1000
/* Lines of one reply; a server that says more has lost its way. */
#define P3_REPLY_LINES 200
/* Octets of a file that are read, and that are sent, at a time. */
#define P3_PIECE ((size_t)32 * 1024)

/* Milliseconds: for a reply, and for that to a message (RFC 5321 §4.5.3.2). */
#define P3_REPLY_MS   (5 * 60 * 1000)
#define P3_MESSAGE_MS (10 * 60 * 1000)

/* What the server announces. */
enum { P3_PIPELINING = 1, P3_8BITMIME = 2, P3_SMTPUTF8 = 4, P3_SIZE = 8, P3_CAN_ENCRYPT = 16 };

struct p3_lmtp_session {
    p3_wire *wire; /* NULL: it is over */
    const char *protocol;
    unsigned announced;
    bool is_smtp;                  /* it has one answer to a message */
    uint64_t size_limit;           /* 0: none */
    const p3_spool_mail *envelope; /* announced already, and not answered; or NULL */
    p3_wire_input in;
    size_t out_used;
    char out[3 * P3_PIECE + 16]; /* two pieces, and the commands for P3_RECIPIENTS_MOST */
};

/* A reply: its code, and its lines joined. */
typedef struct p3_reply {
    int code;
    char text[P3_REPLY_LINE];
} p3_reply;

/* ---- octets ---- */

static bool end(p3_lmtp_session *s)
{
    p3_wire_close(s->wire);
    s->wire = NULL;
    return false;
}

/* Sends what has been gathered. False, with errno, when the connection is over. */
static bool flush(p3_lmtp_session *s)
{
    size_t used = s->out_used;
    s->out_used = 0;
    errno = 0; /* as where the server has closed it */
    /* All of it has that time: one that drips ends, too. */
    return s->wire != NULL && p3_wire_send(s->wire, s->out, used, p3_clock_ms() + P3_REPLY_MS);
}

/* Gathers a line to be sent, which must fit beside others: addresses are bounded. */
static void put_line(p3_lmtp_session *s, const char *line)
{
    size_t len = strlen(line);
    if (len > sizeof s->out - s->out_used)
        len = sizeof s->out - s->out_used;
    memcpy(s->out + s->out_used, line, len);
    s->out_used += len;
}

/* A line without its end, as much of it as is kept. */
static bool read_line(p3_lmtp_session *s, char *line, int64_t until)
{
    size_t len = 0;
    for (size_t all = 0;; all++) {
        int c = p3_wire_octet(s->wire, &s->in, until);
        if (c < 0 || all > 64 * 1024) {
            errno = c < 0 ? errno : EPROTO;
            return false;
        }
        if (c == '\n')
            break;
        if (len < P3_REPLY_LINE - 1 && c != '\0')
            line[len++] = (char)c;
    }
    if (len > 0 && line[len - 1] == '\r')
        len--;
    line[len] = '\0';
    return true;
}

/* ---- replies ---- */

static void note_capability(p3_lmtp_session *s, const char *line)
{
    static const struct {
        const char *word;
        unsigned bit;
    } known[] = {{"PIPELINING", P3_PIPELINING},
                 {"8BITMIME", P3_8BITMIME},
                 {"SMTPUTF8", P3_SMTPUTF8},
                 {"SIZE", P3_SIZE},
                 {"STARTTLS", P3_CAN_ENCRYPT}};
    size_t len = strcspn(line, " ");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strlen(known[i].word) == len && strncasecmp(line, known[i].word, len) == 0)
            s->announced |= known[i].bit;
    }
    if (len == 4 && strncasecmp(line, "SIZE", 4) == 0 && line[4] == ' ')
        s->size_limit = strtoull(line + 5, NULL, 10);
}

/* Reads a reply; `greets`: it is that to LHLO. False, with errno, when none comes. */
static bool read_reply(p3_lmtp_session *s, p3_reply *r, int ms, bool greets)
{
    int64_t until = p3_clock_ms() + ms;
    char line[P3_REPLY_LINE];
    size_t used = 0;
    *r = (p3_reply){0};
    for (int i = 0; i < P3_REPLY_LINES; i++) {
        if (!read_line(s, line, until))
            return false;
        bool is_code = strspn(line, "0123456789") == 3 && line[0] >= '2' && line[0] <= '5' &&
                       (line[3] == ' ' || line[3] == '-' || line[3] == '\0');
        int code = is_code ? atoi(line) : 0;
        if (code == 0 || (i > 0 && code != r->code)) {
            errno = EPROTO;
            return false;
        }
        r->code = code;
        const char *text = line[3] != '\0' ? line + 4 : "";
        if (greets && i > 0)
            note_capability(s, text);
        int n = snprintf(r->text + used, sizeof r->text - used, "%s%s", used > 0 ? " " : "", text);
        used = (size_t)n < sizeof r->text - used ? used + (size_t)n : sizeof r->text - 1;
        if (line[3] != '-') {
            p3_wire_hide(s->wire, r->text);
            return true;
        }
    }
    errno = EPROTO;
    return false;
}

/* 2xx, 4xx or 5xx: 3xx asks for more, which only DATA may. */
static bool is_final(const p3_reply *r)
{
    return r->code < 300 || r->code >= 400;
}

/* That a login is missing (RFC 4954 §6) is no message's fault. */
static bool is_about_login(const p3_reply *r)
{
    return r->code == 530 || r->code == 534 || r->code == 535 || r->code == 538;
}

static p3_lmtp_outcome outcome_of(const p3_reply *r)
{
    if (is_about_login(r))
        return P3_LMTP_TEMPORARY;
    return r->code < 400 ? P3_LMTP_OK : r->code < 500 ? P3_LMTP_TEMPORARY : P3_LMTP_PERMANENT;
}

/* The connection is over, for the reason in errno. */
static p3_lmtp_outcome lose(p3_lmtp_session *s, const char *doing, p3_problem *why)
{
    int error = errno;
    (void)end(s);
    if (error == 0)
        p3_problem_set(why, EX_TEMPFAIL, "%s: the server closed the connection", doing);
    else if (error == EPROTO)
        p3_problem_set(why, EX_PROTOCOL, "%s: the server does not answer as %s has it", doing,
                       s->protocol);
    else
        p3_problem_set(why, EX_TEMPFAIL, "%s: %s", doing, p3_ending_reason(error));
    return P3_LMTP_LOST;
}

/* Describes a refusal: the reply's text has the enhanced status code (RFC 2034), if there is one.
 */
static p3_lmtp_outcome refuse(const char *what, const p3_reply *r, p3_problem *why)
{
    p3_lmtp_outcome is = outcome_of(r);
    p3_problem_set(why, is == P3_LMTP_TEMPORARY ? EX_TEMPFAIL : EX_UNAVAILABLE,
                   "the server refuses %s: %d %.500s", what, r->code, r->text);
    return is;
}

/* ---- connecting ---- */

/* Our name, for LHLO and EHLO: a host name, or one that is none of anybody's. */
static void find_name(char *out, size_t size)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
    if (gethostname(out, size) != 0 || memchr(out, '\0', size) == NULL || out[0] == '\0' ||
        out[strspn(out, letters)] != '\0')
        snprintf(out, size, "localhost");
}

/* Says who we are, by LHLO or EHLO, and hears what the server can do. */
static bool introduce(p3_lmtp_session *s, const char *verb, p3_problem *why)
{
    char name[256];
    char line[300];
    char doing[80];
    p3_reply r;
    snprintf(doing, sizeof doing, "greeting the %s server", s->protocol);
    find_name(name, sizeof name);
    snprintf(line, sizeof line, "%s %s\r\n", verb, name);
    put_line(s, line);
    if (!flush(s) || !read_reply(s, &r, P3_REPLY_MS, true)) {
        (void)lose(s, doing, why);
        return false;
    }
    if (r.code == 250)
        return true;
    p3_problem_set(why, EX_TEMPFAIL, "%s: it refuses %s: %d %.500s%s", doing, verb, r.code, r.text,
                   verb[0] == 'L' ? "; is it an SMTP server?" : "");
    return false;
}

static bool hear_greeting(p3_lmtp_session *s, p3_problem *why)
{
    p3_reply r;
    if (!read_reply(s, &r, P3_REPLY_MS, false)) {
        (void)lose(s, "waiting for the LMTP server's greeting", why);
        return false;
    }
    if (r.code == 220)
        return true;
    (void)refuse("the connection", &r, why);
    why->exit = EX_TEMPFAIL; /* of no message */
    return false;
}

/* A session over a connection, which it takes over; NULL: there is none. */
static p3_lmtp_session *new_session(p3_wire *wire, const char *protocol, p3_problem *why)
{
    p3_lmtp_session *s = wire != NULL ? malloc(sizeof *s) : NULL;
    if (wire != NULL && s == NULL) {
        p3_wire_close(wire);
        p3_problem_set(why, EX_OSERR, "out of memory");
    }
    if (s == NULL)
        return NULL;
    s->wire = wire;
    s->protocol = protocol;
    s->is_smtp = strcmp(protocol, "SMTP") == 0;
    s->announced = 0;
    s->size_limit = 0;
    s->envelope = NULL;
    s->in.used = s->in.at = s->out_used = 0;
    return s;
}

/* Encrypts the connection. What the server has said so far no longer counts. */
static bool encrypt(p3_lmtp_session *s, const p3_address *to, const p3_lmtp_options *options,
                    p3_problem *why)
{
    static const p3_wire_protocol protocols[] = {
        [P3_LMTP_STARTTLS] = {.name = "LMTP", .scheme = "http", .setting = "lmtp-"},
        [P3_LMTP_TLS] = {.name = "LMTP",
                         .scheme = "http",
                         .starttls = "lmtp-tls = starttls",
                         .setting = "lmtp-"}};
    s->announced = 0;
    s->size_limit = 0;
    return p3_wire_encrypt(s->wire, to, options->ca_file, &protocols[options->tls], why);
}

/* Asks for TLS (RFC 3207). What comes behind the answer before TLS begins, anybody may have put
 * there, to be taken for an answer under TLS. */
static bool start_tls(p3_lmtp_session *s, p3_problem *why)
{
    static const char doing[] = "beginning TLS with the LMTP server";
    p3_reply r;
    if ((s->announced & P3_CAN_ENCRYPT) == 0)
        return p3_problem_set(why, EX_UNAVAILABLE,
                              "%s: it offers no STARTTLS; see that it has a certificate, or set "
                              "lmtp-tls otherwise",
                              doing);
    put_line(s, "STARTTLS\r\n");
    bool heard = flush(s) && read_reply(s, &r, P3_REPLY_MS, false);
    if (!heard || s->in.at < s->in.used) {
        errno = heard ? EPROTO : errno;
        (void)lose(s, doing, why);
        return false;
    }
    return r.code == 220 ||
           p3_problem_set(why, EX_TEMPFAIL, "%s: it refuses: %d %.500s", doing, r.code, r.text);
}

p3_lmtp_session *p3_lmtp_connect(const p3_address *to, const p3_lmtp_options *options,
                                 p3_problem *why)
{
    p3_lmtp_session *s = new_session(p3_wire_dial(to, "LMTP", why), "LMTP", why);
    bool ok = s != NULL && (options->tls != P3_LMTP_TLS || encrypt(s, to, options, why)) &&
              hear_greeting(s, why) && introduce(s, "LHLO", why);
    if (ok && options->tls == P3_LMTP_STARTTLS)
        ok = start_tls(s, why) && encrypt(s, to, options, why) && introduce(s, "LHLO", why);
    if (ok) {
        p3_fault("lmtp-connected");
        return s;
    }
    if (s != NULL && options->tls != P3_LMTP_PLAIN)
        (void)end(s); /* nothing is said on what may be neither plain nor encrypted */
    p3_lmtp_end(s);
    return NULL;
}

/* libcurl has heard the greeting, and said EHLO already: but not what came of it (RFC 5321 §4.1.4
 * allows it again). A server that lies about a login refuses MAIL. */
p3_lmtp_session *p3_smtp_connect(const p3_server_url *to, const p3_server_options *options,
                                 p3_problem *why)
{
    static const p3_wire_protocol protocol = {.name = "SMTP",
                                              .scheme = "smtp",
                                              .starttls = "smtp://",
                                              .setting = "smtp-",
                                              .tries = {"AUTH "},
                                              .later = "454 ",
                                              .passwords = "AUTH=PLAIN;AUTH=LOGIN"};
    p3_lmtp_session *s =
        new_session(p3_wire_log_in(to, options, &protocol, why), protocol.name, why);
    if (s != NULL && introduce(s, "EHLO", why)) {
        p3_fault("smtp-connected");
        return s;
    }
    p3_lmtp_end(s);
    return NULL;
}

bool p3_lmtp_is_usable(const p3_lmtp_session *s)
{
    return s != NULL && s->wire != NULL;
}

void p3_lmtp_end(p3_lmtp_session *s)
{
    static const char quit[] = "QUIT\r\n";
    if (s == NULL)
        return;
    if (s->wire != NULL)
        p3_wire_say(s->wire, quit, sizeof quit - 1);
    (void)end(s);
    free(s);
}

/* ---- a message ---- */

/* Whether a recipient may be offered to the server. */
static bool may_offer(const p3_lmtp_session *s, const p3_recipient *to)
{
    return !to->has_been && (!to->is_utf8 || (s->announced & P3_SMTPUTF8) != 0);
}

/* How many recipients of a message may be. */
static size_t count_offered(const p3_lmtp_session *s, const p3_spool_mail *mail)
{
    size_t count = 0;
    for (size_t i = 0; i < mail->to_count; i++)
        count += may_offer(s, &mail->to[i]);
    return count;
}

/* Whether the server takes one of its size. */
static bool fits(const p3_lmtp_session *s, const p3_spool_mail *mail)
{
    return s->size_limit == 0 || mail->octets <= s->size_limit;
}

static void put_sender(p3_lmtp_session *s, const p3_spool_mail *mail)
{
    char line[700];
    char size[40] = "";
    if ((s->announced & P3_SIZE) != 0 && mail->octets > 0)
        snprintf(size, sizeof size, " SIZE=%llu", (unsigned long long)mail->octets);
    snprintf(line, sizeof line, "MAIL FROM:<%.500s>%s%s%s\r\n", mail->sender, size,
             mail->is_8bit && (s->announced & P3_8BITMIME) != 0 ? " BODY=8BITMIME" : "",
             mail->is_utf8 && (s->announced & P3_SMTPUTF8) != 0 ? " SMTPUTF8" : "");
    put_line(s, line);
}

static void put_recipient(p3_lmtp_session *s, const p3_recipient *to)
{
    char line[600];
    snprintf(line, sizeof line, "RCPT TO:<%.500s>\r\n", to->address);
    put_line(s, line);
}

/* Announces a message, all commands at once, where the server takes them so (RFC 2920; RFC 2033
 * §4.2 demands it). */
static void put_envelope(p3_lmtp_session *s, const p3_spool_mail *mail)
{
    put_sender(s, mail);
    for (size_t i = 0; i < mail->to_count; i++) {
        if (may_offer(s, &mail->to[i]))
            put_recipient(s, &mail->to[i]);
    }
    put_line(s, "DATA\r\n");
    s->envelope = mail;
}

/* What is left of a refused message's transaction goes, so that the next can begin. */
static void reset(p3_lmtp_session *s)
{
    p3_reply r;
    put_line(s, "RSET\r\n");
    if (!flush(s) || !read_reply(s, &r, P3_REPLY_MS, false) || r.code != 250)
        (void)end(s);
}

/* A message that is being announced: the recipients that are left have P3_LMTP_OK. */
typedef struct p3_announcement {
    const p3_spool_mail *mail;
    p3_lmtp_verdict *verdicts;
    bool together; /* all commands have been sent */
    p3_problem *why;
} p3_announcement;

static size_t count_left(const p3_announcement *a)
{
    size_t left = 0;
    for (size_t i = 0; i < a->mail->to_count; i++)
        left += a->verdicts[i].is == P3_LMTP_OK;
    return left;
}

/* All that are left get the same verdict. */
static void judge_all(const p3_announcement *a, p3_lmtp_outcome is, p3_lmtp_about about,
                      const p3_problem *why)
{
    for (size_t i = 0; i < a->mail->to_count; i++) {
        if (a->verdicts[i].is == P3_LMTP_OK)
            a->verdicts[i] = (p3_lmtp_verdict){.is = is, .about = about, .why = *why};
    }
}

/* Nobody is refused yet, but those who are not offered. */
static void begin_verdicts(const p3_lmtp_session *s, const p3_announcement *a)
{
    for (size_t i = 0; i < a->mail->to_count; i++) {
        const p3_recipient *to = &a->mail->to[i];
        p3_lmtp_verdict *v = &a->verdicts[i];
        *v = (p3_lmtp_verdict){.is = may_offer(s, to) ? P3_LMTP_OK : P3_LMTP_PERMANENT};
        if (to->has_been)
            p3_problem_set(&v->why, EX_UNAVAILABLE,
                           "a Delivered-To: line says that it has been delivered to %.320s before: "
                           "it goes in circles",
                           to->address);
        if (to->has_been || v->is == P3_LMTP_OK)
            continue;
        v->about = P3_LMTP_RECIPIENT;
        p3_problem_set(&v->why, EX_UNAVAILABLE,
                       "the server takes no address beyond ASCII (it has no SMTPUTF8): %.320s",
                       to->address);
    }
}

/* Hears the answer to one command. False when the connection is over. */
static bool hear(p3_lmtp_session *s, const p3_announcement *a, p3_reply *r)
{
    if (!flush(s) || !read_reply(s, r, P3_REPLY_MS, false)) {
        (void)lose(s, "announcing the message", a->why);
        return false;
    }
    if (r->code != 421) /* RFC 5321 §3.8: it closes the connection, whatever was asked */
        return true;
    (void)end(s);
    (void)refuse("the connection", r, a->why);
    return false;
}

static bool is_out_of_step(p3_lmtp_session *s, const p3_announcement *a)
{
    errno = EPROTO;
    (void)lose(s, "announcing the message", a->why);
    return false;
}

static bool hear_sender(p3_lmtp_session *s, const p3_announcement *a)
{
    p3_reply r;
    p3_problem why;
    if (!a->together)
        put_sender(s, a->mail);
    if (!hear(s, a, &r))
        return false;
    if (outcome_of(&r) != P3_LMTP_OK)
        judge_all(a, refuse("the sender", &r, &why), P3_LMTP_SENDER, &why);
    else if (!is_final(&r))
        return is_out_of_step(s, a);
    return true;
}

/* `is_heard`: the sender was not refused, so that the answer counts. */
static bool hear_recipient(p3_lmtp_session *s, const p3_announcement *a, size_t i, bool is_heard)
{
    p3_reply r;
    char what[400];
    p3_lmtp_verdict *v = &a->verdicts[i];
    if (!a->together)
        put_recipient(s, &a->mail->to[i]);
    if (!hear(s, a, &r))
        return false;
    snprintf(what, sizeof what, "the recipient %.320s", a->mail->to[i].address);
    if (is_heard && outcome_of(&r) != P3_LMTP_OK) {
        v->is = refuse(what, &r, &v->why);
        v->about = P3_LMTP_RECIPIENT;
    } else if (is_heard && !is_final(&r)) {
        return is_out_of_step(s, a);
    }
    return true;
}

static bool hear_data(p3_lmtp_session *s, const p3_announcement *a)
{
    p3_reply r;
    p3_problem why;
    bool any = count_left(a) > 0;
    if (!a->together)
        put_line(s, "DATA\r\n");
    if (!hear(s, a, &r))
        return false;
    bool goes_on = r.code == 354;
    if (!any && goes_on)
        (void)end(s); /* it wants a message that has nobody to go to */
    else if (any && outcome_of(&r) != P3_LMTP_OK)
        judge_all(a, refuse("the message", &r, &why), P3_LMTP_MESSAGE, &why);
    else if (any && !goes_on)
        return is_out_of_step(s, a);
    return true;
}

/* Hears what the server says to a message that has been announced, or announces it. All replies are
 * read: they come in order. False when the connection is over before it was taken or refused. */
static bool hear_envelope(p3_lmtp_session *s, const p3_announcement *a)
{
    s->envelope = NULL;
    if (!hear_sender(s, a))
        return false;
    bool is_heard = count_left(a) > 0;
    for (size_t i = 0; i < a->mail->to_count && (is_heard || a->together); i++) {
        if (may_offer(s, &a->mail->to[i]) && !hear_recipient(s, a, i, is_heard))
            return false;
    }
    if ((count_left(a) > 0 || a->together) && !hear_data(s, a))
        return false;
    if (count_left(a) == 0 && s->wire != NULL)
        reset(s);
    return true;
}

bool p3_lmtp_try(p3_lmtp_session *s, const char *sender, p3_recipient *to, p3_lmtp_verdict *verdict,
                 p3_problem *why)
{
    const p3_spool_mail mail = {.sender = sender, .to = to, .to_count = 1, .is_utf8 = to->is_utf8};
    const p3_announcement a = {.mail = &mail, .verdicts = verdict, .why = why};
    begin_verdicts(s, &a);
    if (count_left(&a) == 0)
        return true;
    if (!hear_sender(s, &a) || (count_left(&a) > 0 && !hear_recipient(s, &a, 0, true)))
        return false;
    reset(s);
    return true;
}

/* Sends the message's text: line ends become CRLF, a CR or LF alone included (RFC 5321 §2.3.8: else
 * a mail could end itself and begin another), and a dot at the beginning of a line is doubled. */
static bool send_text(p3_lmtp_session *s, const p3_spool_mail *mail, p3_problem *why)
{
    char piece[P3_PIECE];
    bool starts = true; /* the next octet begins a line */
    bool cr = false;    /* the last octet was a CR, whose CRLF has been sent */
    for (uint64_t done = 0; done < mail->length;) {
        uint64_t left = mail->length - done;
        size_t n = left < sizeof piece ? (size_t)left : sizeof piece;
        if (!p3_read_at(mail->fd, piece, n, mail->offset + done)) {
            p3_problem_errno(why, errno, "reading a message that waits for the %s server",
                             s->protocol);
            return end(s); /* the server drops what has no end */
        }
        done += n;
        for (size_t i = 0; i < n; i++) {
            char c = piece[i];
            if (c == '\n' && cr) {
                cr = false;
                continue;
            }
            cr = c == '\r';
            if (c == '\r' || c == '\n') {
                s->out[s->out_used++] = '\r';
                s->out[s->out_used++] = '\n';
                starts = true;
            } else {
                if (starts && c == '.')
                    s->out[s->out_used++] = '.';
                s->out[s->out_used++] = c;
                starts = false;
            }
            if (s->out_used >= P3_PIECE && !flush(s)) {
                (void)lose(s, "sending the message", why);
                return false;
            }
        }
        p3_fault("lmtp-content");
    }
    put_line(s, starts ? ".\r\n" : "\r\n.\r\n");
    return true;
}

/* Whether the server has said something that it was not asked for. */
static bool has_spoken(const p3_lmtp_session *s)
{
    return s->in.at < s->in.used || p3_wire_has_spoken(s->wire);
}

/* Hears the answer to a message for one recipient. `early`: the server had spoken before the
 * message's end. False when none comes. */
static bool hear_verdict(p3_lmtp_session *s, const p3_announcement *a, size_t i, bool early)
{
    p3_reply r;
    char what[400] = "the message";
    p3_lmtp_verdict *v = &a->verdicts[i];
    bool comes = s->wire != NULL && read_reply(s, &r, P3_MESSAGE_MS, false);
    if (comes && (!is_final(&r) || (early && outcome_of(&r) == P3_LMTP_OK))) {
        comes = false;
        errno = EPROTO;
    }
    if (!comes) {
        if (s->wire != NULL)
            (void)lose(s, "waiting for the server's word on the message", a->why);
        return false;
    }
    p3_fault("lmtp-answered");
    if (!s->is_smtp)
        snprintf(what, sizeof what, "the message for %.320s", a->mail->to[i].address);
    if (outcome_of(&r) != P3_LMTP_OK)
        v->is = refuse(what, &r, &v->why);
    if (r.code == 421) {
        *a->why = v->why;
        (void)end(s);
    }
    return true;
}

/* LMTP has an answer for each recipient that was accepted, in order (RFC 2033 §4.2); SMTP has one.
 * False when not all of them come: those that are left are lost, then. */
static bool hear_verdicts(p3_lmtp_session *s, const p3_announcement *a, bool early)
{
    bool ok = true;
    size_t first = 0;
    while (a->verdicts[first].is != P3_LMTP_OK)
        first++;
    for (size_t i = first; i < a->mail->to_count; i++) {
        p3_lmtp_verdict *v = &a->verdicts[i];
        if (v->is != P3_LMTP_OK)
            continue;
        if (s->is_smtp && i > first) {
            *v = a->verdicts[first];
            continue;
        }
        if (ok)
            ok = hear_verdict(s, a, i, early);
        if (!ok)
            *v = (p3_lmtp_verdict){.is = P3_LMTP_LOST, .why = *a->why};
    }
    return ok;
}

/* Refuses what is too large for the server. */
static void refuse_size(const p3_lmtp_session *s, const p3_announcement *a)
{
    p3_problem why;
    p3_problem_set(&why, EX_UNAVAILABLE,
                   "the message has %llu octets, and the server takes %llu at most",
                   (unsigned long long)a->mail->octets, (unsigned long long)s->size_limit);
    judge_all(a, P3_LMTP_PERMANENT, P3_LMTP_MESSAGE, &why);
}

bool p3_lmtp_send(p3_lmtp_session *s, const p3_spool_mail *mail, const p3_spool_mail *next,
                  p3_lmtp_verdict *verdicts, bool *sent, p3_problem *why)
{
    bool pipelines = (s->announced & P3_PIPELINING) != 0;
    p3_announcement a = {.mail = mail, .verdicts = verdicts, .together = pipelines, .why = why};
    *sent = false;
    begin_verdicts(s, &a);
    if (s->envelope != mail && !fits(s, mail))
        refuse_size(s, &a);
    if (count_left(&a) == 0)
        return true;
    if (pipelines && s->envelope != mail)
        put_envelope(s, mail);
    if (!hear_envelope(s, &a))
        return false;
    if (count_left(&a) == 0)
        return true;
    p3_fault("lmtp-announced");
    if (!send_text(s, mail, why))
        return false;
    if (pipelines && next != NULL && fits(s, next) && count_offered(s, next) > 0)
        put_envelope(s, next);
    bool early = has_spoken(s); /* it may refuse what it has not seen the end of, but not take it */
    *sent = true;               /* from here on it may have arrived */
    if (!flush(s)) {
        (void)lose(s, "sending the message", why);
        judge_all(&a, P3_LMTP_LOST, P3_LMTP_MESSAGE, why);
        return false;
    }
    p3_fault("lmtp-sent");
    return hear_verdicts(s, &a, early);
}

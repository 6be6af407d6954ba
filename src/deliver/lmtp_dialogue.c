/* The dialogue with an LMTP or SMTP server. */
#include "deliver/lmtp_dialogue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <unistd.h>

#include "support/clock.h"
#include "support/stop_request.h"
#include "support/crash_point.h"
#include "support/file.h"

/* The most lines of one reply. */
#define P3_REPLY_LINES 200

/* ---- octets ---- */

bool p3_dialogue_end(p3_dialogue *d)
{
    p3_wire_close(d->wire);
    d->wire = NULL;
    return false;
}

bool p3_dialogue_flush(p3_dialogue *d)
{
    size_t used = d->out_used;
    d->out_used = 0;
    errno = 0; /* as if the server had closed it */
    /* The limit is for all of it, so that a slow peer ends as well. */
    return d->wire != NULL && p3_wire_send(d->wire, d->out, used, p3_clock_ms() + P3_REPLY_MS);
}

void p3_dialogue_put(p3_dialogue *d, const char *line)
{
    size_t len = strlen(line);
    if (len > sizeof d->out - d->out_used)
        len = sizeof d->out - d->out_used;
    memcpy(d->out + d->out_used, line, len);
    d->out_used += len;
}

/* A line without its end, as much as is kept. */
static bool read_line(p3_dialogue *d, char *line, int64_t until)
{
    size_t len = 0;
    for (size_t all = 0;; all++) {
        int c = p3_wire_octet(d->wire, &d->in, until);
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

bool p3_dialogue_send_text(p3_dialogue *d, const p3_spool_mail *mail, p3_problem *why)
{
    char piece[P3_PIECE];
    bool starts = true; /* the next octet begins a line */
    bool cr = false;    /* the last octet was a CR, whose CRLF has been sent */
    for (uint64_t done = 0; done < mail->length;) {
        uint64_t left = mail->length - done;
        size_t n = left < sizeof piece ? (size_t)left : sizeof piece;
        if (!p3_read_at(mail->fd, piece, n, mail->offset + done)) {
            p3_problem_errno(why, errno, "reading a message that waits for the %s server",
                             d->protocol);
            return p3_dialogue_end(d); /* the server discards a message without an end */
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
                d->out[d->out_used++] = '\r';
                d->out[d->out_used++] = '\n';
                starts = true;
            } else {
                if (starts && c == '.')
                    d->out[d->out_used++] = '.';
                d->out[d->out_used++] = c;
                starts = false;
            }
            if (d->out_used >= P3_PIECE && !p3_dialogue_flush(d))
                return p3_dialogue_lose(d, "sending the message", why);
        }
        p3_crash_point("lmtp-content");
    }
    p3_dialogue_put(d, starts ? ".\r\n" : "\r\n.\r\n");
    return true;
}

bool p3_dialogue_has_spoken(const p3_dialogue *d)
{
    return d->in.at < d->in.used || p3_wire_has_spoken(d->wire);
}

void p3_dialogue_quit(p3_dialogue *d)
{
    static const char quit[] = "QUIT\r\n";
    if (d->wire != NULL)
        p3_wire_say(d->wire, quit, sizeof quit - 1);
    (void)p3_dialogue_end(d);
}

/* ---- replies ---- */

static void note_capability(p3_dialogue *d, const char *line)
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
            d->announced |= known[i].bit;
    }
    if (len == 4 && strncasecmp(line, "SIZE", 4) == 0 && line[4] == ' ')
        d->size_limit = strtoull(line + 5, NULL, 10);
}

bool p3_dialogue_hear(p3_dialogue *d, p3_reply *r, int ms, bool greets)
{
    int64_t until = p3_clock_ms() + ms;
    char line[P3_REPLY_LINE];
    size_t used = 0;
    *r = (p3_reply){0};
    for (int i = 0; i < P3_REPLY_LINES; i++) {
        if (!read_line(d, line, until))
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
            note_capability(d, text);
        int n = snprintf(r->text + used, sizeof r->text - used, "%s%s", used > 0 ? " " : "", text);
        used = (size_t)n < sizeof r->text - used ? used + (size_t)n : sizeof r->text - 1;
        if (line[3] != '-') {
            if (r->code >= 400) /* others are not shown, but by those who call is_reply() */
                p3_wire_hide(d->wire, r->text);
            return true;
        }
    }
    errno = EPROTO;
    return false;
}

bool p3_dialogue_ask(p3_dialogue *d, p3_reply *r)
{
    return p3_dialogue_flush(d) && p3_dialogue_hear(d, r, P3_REPLY_MS, false);
}

bool p3_reply_is_final(const p3_reply *r)
{
    return r->code < 300 || r->code >= 400;
}

/* A missing login (RFC 4954 §6) is not a message's fault. */
static bool is_about_login(const p3_reply *r)
{
    return r->code == 530 || r->code == 534 || r->code == 535 || r->code == 538;
}

/* A full mailbox is temporary, whatever the code (RFC 3463 §3.3): Dovecot uses 552. */
static bool is_about_space(const p3_reply *r)
{
    return r->code >= 400 && (r->text[0] == '4' || r->text[0] == '5') &&
           (strcmp(r->text + 1, ".2.2") == 0 || strncmp(r->text + 1, ".2.2 ", 5) == 0);
}

p3_lmtp_outcome p3_reply_outcome(const p3_reply *r)
{
    if (is_about_login(r) || is_about_space(r))
        return P3_LMTP_TEMPORARY;
    return r->code < 400 ? P3_LMTP_OK : r->code < 500 ? P3_LMTP_TEMPORARY : P3_LMTP_PERMANENT;
}

bool p3_dialogue_lose(p3_dialogue *d, const char *doing, p3_problem *why)
{
    int error = errno;
    (void)p3_dialogue_end(d);
    if (error == 0)
        p3_problem_set(why, EX_TEMPFAIL, "%s: the server closed the connection", doing);
    else if (error == EPROTO)
        p3_problem_set(why, EX_PROTOCOL, "%s: the server does not answer as %s requires", doing,
                       d->protocol);
    else
        p3_problem_set(why, EX_TEMPFAIL, "%s: %s", doing, p3_stop_request_reason(error));
    return false;
}

static const char *advice_on(const p3_reply *r)
{
    if (is_about_space(r))
        return "; delete mail there, or have the quota raised";
    if (r->code == 530) /* RFC 3207 §4, RFC 4954 §6 */
        return "; it demands TLS or a login: write smtp = smtps://USER@HOST, or set lmtp-tls";
    return "";
}

p3_lmtp_outcome p3_reply_refuse(const char *what, const p3_reply *r, p3_problem *why)
{
    p3_lmtp_outcome is = p3_reply_outcome(r);
    p3_problem_set(why, is == P3_LMTP_TEMPORARY ? EX_TEMPFAIL : EX_UNAVAILABLE,
                   "the server refuses %s: %d %.500s%s", what, r->code, r->text, advice_on(r));
    return is;
}

/* ---- connecting ---- */

/* Our name for LHLO and EHLO: a host name, or one that does not exist. */
static void find_name(char *out, size_t size)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
    if (gethostname(out, size) != 0 || memchr(out, '\0', size) == NULL || out[0] == '\0' ||
        out[strspn(out, letters)] != '\0')
        snprintf(out, size, "localhost");
}

/* Whether a reply has the code with which it goes on. The text of another is going to be shown. */
static bool is_reply(const p3_dialogue *d, p3_reply *r, int code)
{
    if (r->code != code)
        p3_wire_hide(d->wire, r->text);
    return r->code == code;
}

/* Sends LHLO or EHLO, and reads the capabilities. */
static bool introduce(p3_dialogue *d, const char *verb, p3_problem *why)
{
    char name[256];
    char line[300];
    char doing[80];
    p3_reply r;
    snprintf(doing, sizeof doing, "greeting the %s server", d->protocol);
    find_name(name, sizeof name);
    snprintf(line, sizeof line, "%s %s\r\n", verb, name);
    p3_dialogue_put(d, line);
    if (!p3_dialogue_flush(d) || !p3_dialogue_hear(d, &r, P3_REPLY_MS, true))
        return p3_dialogue_lose(d, doing, why);
    if (is_reply(d, &r, 250))
        return true;
    p3_problem_set(why, EX_TEMPFAIL, "%s: it refuses %s: %d %.500s%s", doing, verb, r.code, r.text,
                   verb[0] == 'L' ? "; is it an SMTP server?" : "");
    return false;
}

static bool hear_greeting(p3_dialogue *d, p3_problem *why)
{
    p3_reply r;
    if (!p3_dialogue_hear(d, &r, P3_REPLY_MS, false))
        return p3_dialogue_lose(d, "waiting for the LMTP server's greeting", why);
    if (is_reply(d, &r, 220))
        return true;
    (void)p3_reply_refuse("the connection", &r, why);
    why->exit = EX_TEMPFAIL; /* of no message */
    return false;
}

/* Begins over a connection, which it takes over; NULL: none. */
static void begin_dialogue(p3_dialogue *d, p3_wire *wire, const char *protocol)
{
    d->wire = wire;
    d->protocol = protocol;
    d->announced = 0;
    d->size_limit = 0;
    d->in.used = d->in.at = d->out_used = 0;
}

/* Starts TLS on the connection. What the server announced before is discarded. */
static bool encrypt(p3_dialogue *d, const p3_server_address *to, const p3_lmtp_options *options,
                    p3_problem *why)
{
    static const p3_wire_protocol protocols[] = {
        [P3_LMTP_STARTTLS] = {.name = "LMTP", .scheme = "http", .setting = "lmtp-"},
        [P3_LMTP_TLS] = {.name = "LMTP",
                         .scheme = "http",
                         .starttls = "lmtp-tls = starttls",
                         .setting = "lmtp-"}};
    d->announced = 0;
    d->size_limit = 0;
    return p3_wire_encrypt(d->wire, to, options->ca_file, &protocols[options->tls], why);
}

/* Requests TLS (RFC 3207). Octets after the answer and before TLS begins may be injected, to be
 * read as if sent under TLS. */
static bool start_tls(p3_dialogue *d, p3_problem *why)
{
    static const char doing[] = "beginning TLS with the LMTP server";
    p3_reply r;
    if ((d->announced & P3_CAN_ENCRYPT) == 0)
        return p3_problem_set(
            why, EX_UNAVAILABLE,
            "%s: it offers no STARTTLS; check that it has a certificate, or set lmtp-tls otherwise",
            doing);
    p3_dialogue_put(d, "STARTTLS\r\n");
    bool heard = p3_dialogue_ask(d, &r);
    if (!heard || d->in.at < d->in.used) {
        errno = heard ? EPROTO : errno;
        return p3_dialogue_lose(d, doing, why);
    }
    return is_reply(d, &r, 220) ||
           p3_problem_set(why, EX_TEMPFAIL, "%s: it refuses: %d %.500s", doing, r.code, r.text);
}

bool p3_dialogue_begin_lmtp(p3_dialogue *d, const p3_server_address *to,
                            const p3_lmtp_options *options, p3_problem *why)
{
    begin_dialogue(d, p3_wire_dial(to, "LMTP", why), "LMTP");
    bool ok = d->wire != NULL && (options->tls != P3_LMTP_TLS || encrypt(d, to, options, why)) &&
              hear_greeting(d, why) && introduce(d, "LHLO", why);
    if (ok && options->tls == P3_LMTP_STARTTLS)
        ok = start_tls(d, why) && encrypt(d, to, options, why) && introduce(d, "LHLO", why);
    if (ok)
        p3_crash_point("lmtp-connected");
    else if (options->tls == P3_LMTP_PLAIN)
        p3_dialogue_quit(d);
    else
        (void)p3_dialogue_end(d); /* nothing more is sent in an unknown state */
    return ok;
}

/* libcurl has read the greeting and sent EHLO, but does not return the answer (RFC 5321 §4.1.4
 * permits EHLO again). A server that only pretends to accept a login refuses MAIL. */
bool p3_dialogue_begin_smtp(p3_dialogue *d, const p3_server_url *to,
                            const p3_server_options *options, p3_problem *why)
{
    static const p3_wire_protocol protocol = {.name = "SMTP",
                                              .scheme = "smtp",
                                              .starttls = "smtp://",
                                              .setting = "smtp-",
                                              .tries = {"AUTH "},
                                              .later = "454 ",
                                              .passwords = "AUTH=PLAIN;AUTH=LOGIN"};
    begin_dialogue(d, p3_wire_log_in(to, options, &protocol, why), protocol.name);
    bool ok = d->wire != NULL && introduce(d, "EHLO", why);
    if (ok)
        p3_crash_point("smtp-connected");
    else
        p3_dialogue_quit(d);
    return ok;
}

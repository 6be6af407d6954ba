/* The commands of a session that log in: USER and PASS, APOP, RPOP, AUTH PLAIN and AUTH LOGIN. */
#define _POSIX_C_SOURCE 200809L
#include "digest.h"
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool matches(struct span given, const char *wanted)
{
    return wanted == NULL || (given.n == strlen(wanted) && memcmp(given.p, wanted, given.n) == 0);
}

static void check(struct session *s, struct span user, struct span password)
{
    const struct options *options = &s->server->options;
    if (matches(user, options->user) && matches(password, options->password)) {
        session_enter(s);
    } else {
        reply(s, "-ERR [AUTH] invalid login"); /* RFC 3206 §4 */
    }
}

void cmd_user(struct session *s, struct span args)
{
    if (args.n == 0) {
        reply(s, "-ERR a user name is wanted");
        return;
    }
    char *copy = malloc(args.n);
    if (copy == NULL) {
        reply(s, "-ERR [SYS/TEMP] out of memory");
        return;
    }
    memcpy(copy, args.p, args.n);
    free(s->user);
    s->user = copy;
    s->user_len = args.n;
    reply(s, "+OK password, please");
}

void cmd_pass(struct session *s, struct span args)
{
    if (s->user == NULL) {
        reply(s, "-ERR USER first");
        return;
    }
    /* The argument is the rest of the line: a password may hold spaces (RFC 1939 §7). */
    check(s, (struct span){s->user, s->user_len}, args);
    free(s->user);
    s->user = NULL;
}

void cmd_apop(struct session *s, struct span args)
{
    const struct options *options = &s->server->options;
    struct span digest = args;
    struct span user = span_word(&digest);
    if (s->timestamp[0] == '\0') {
        reply(s, "-ERR there was no timestamp in the greeting");
        return;
    }
    if (digest.n != 32) {
        reply(s, "-ERR a name and a digest are wanted");
        return;
    }
    if (options->password != NULL) {
        char hex[DIGEST_MD5];
        if (!digest_md5(s->timestamp, options->password, hex)) {
            reply(s, "-ERR [SYS/PERM] no MD5 here");
            return;
        }
        if (memcmp(hex, digest.p, 32) != 0) {
            reply(s, "-ERR [AUTH] invalid login");
            return;
        }
    }
    const char *password = options->password != NULL ? options->password : "";
    check(s, user, (struct span){password, strlen(password)});
}

void cmd_rpop(struct session *s, struct span args)
{
    if (!s->server->options.rpop) {
        reply(s, "-ERR RPOP is not allowed");
    } else if (args.n == 0 || !matches(args, s->server->options.user)) {
        reply(s, "-ERR [AUTH] invalid login");
    } else {
        session_enter(s);
    }
}

/* ---- SASL (RFC 5034) ---- */

/* Decodes base64 into memory the caller frees; NULL when it is none. A NUL is added. */
static char *decode(struct span text, size_t *len)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *copy = malloc(text.n + 1);
    char *out = malloc(text.n + 1);
    if (copy == NULL || out == NULL || text.n % 4 != 0) {
        goto fail;
    }
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    size_t clean = strspn(copy, alphabet);
    size_t padding = text.n - clean;
    if (padding > 2 || strspn(copy + clean, "=") != padding) {
        goto fail;
    }
    for (size_t i = 0; i < text.n; i += 4) {
        unsigned bits = 0;
        for (size_t k = 0; k < 4; k++) {
            const char *at = strchr(alphabet, copy[i + k]); /* padding is none of it: zero */
            bits = bits << 6 | (at != NULL ? (unsigned)(at - alphabet) : 0);
        }
        out[i / 4 * 3] = (char)(bits >> 16 & 0xff);
        out[i / 4 * 3 + 1] = (char)(bits >> 8 & 0xff);
        out[i / 4 * 3 + 2] = (char)(bits & 0xff);
    }
    *len = text.n / 4 * 3 - padding;
    out[*len] = '\0';
    free(copy);
    return out;
fail:
    free(copy);
    free(out);
    return NULL;
}

/* Sends a challenge and decodes the answer. NULL when there is none, with the reply sent. */
static char *challenge(struct session *s, const char *text, size_t *len)
{
    struct span line;
    reply_text(s, *text != '\0' ? "+" : "+ ", text); /* RFC 5034 §4: the blank is always there */
    if (s->over || !session_line(s, &line)) {
        return NULL;
    }
    if (span_is(line, "*")) {
        reply(s, "-ERR cancelled");
        return NULL;
    }
    char *answer = decode(line, len);
    if (answer == NULL) {
        reply(s, "-ERR no base64");
    }
    return answer;
}

static char *initial_response(struct session *s, struct span args, const char *text, size_t *len)
{
    if (args.n == 0) {
        return challenge(s, text, len);
    }
    if (span_is(args, "=")) {
        args.n = 0; /* RFC 5034 §4: an empty initial response */
    }
    char *answer = decode(args, len);
    if (answer == NULL) {
        reply(s, "-ERR no base64");
    }
    return answer;
}

/* RFC 4616: authorization identity, NUL, name, NUL, password */
static void auth_plain(struct session *s, struct span args)
{
    size_t len = 0;
    char *message = initial_response(s, args, "", &len);
    if (message == NULL) {
        return;
    }
    const char *end = message + len;
    const char *name = memchr(message, '\0', len);
    name = name != NULL ? name + 1 : end;
    const char *password = memchr(name, '\0', (size_t)(end - name));
    if (password == NULL || memchr(password + 1, '\0', (size_t)(end - password - 1)) != NULL) {
        reply(s, "-ERR a malformed PLAIN message");
    } else {
        check(s, (struct span){name, (size_t)(password - name)},
              (struct span){password + 1, (size_t)(end - password - 1)});
    }
    free(message);
}

static void auth_login(struct session *s, struct span args)
{
    size_t name_len = 0;
    size_t password_len = 0;
    char *password = NULL;
    char *name = initial_response(s, args, "VXNlcm5hbWU6", &name_len); /* "Username:" */
    if (name == NULL) {
        return;
    }
    password = challenge(s, "UGFzc3dvcmQ6", &password_len); /* "Password:" */
    if (password != NULL) {
        check(s, (struct span){name, name_len}, (struct span){password, password_len});
    }
    free(password);
    free(name);
}

void cmd_auth(struct session *s, struct span args)
{
    struct span mechanism = span_word(&args);
    if (mechanism.n == 0) {
        reply(s, "+OK mechanisms follow");
        reply_line(s, "PLAIN");
        reply_line(s, "LOGIN");
        reply_end(s);
    } else if (span_is(mechanism, "PLAIN")) {
        auth_plain(s, args);
    } else if (span_is(mechanism, "LOGIN")) {
        auth_login(s, args);
    } else {
        reply(s, "-ERR no such mechanism");
    }
}

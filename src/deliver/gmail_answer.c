/* What an answer of Google's API means: by the reason that it gives, and else by its status.
 *
 * {"error": {"code": 403, "message": "...", "status": "PERMISSION_DENIED",
 *            "errors": [{"domain": "usageLimits", "reason": "rateLimitExceeded"}],
 *            "details": [{"@type": "...ErrorInfo", "reason": "..."}]}} */
#include "deliver/gmail_answer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sysexits.h>
#include <time.h>

#include "web/json_members.h"

/* Octets of Google's own text that are shown. */
#define P3_WORDS 300

/* What is known about a reason. */
typedef struct p3_reason {
    const char *name;
    p3_gmail_verdict verdict;
    int exit;
    const char *advice; /* NULL: that of the verdict */
} p3_reason;

static const p3_reason reasons[] = {
    {"rateLimitExceeded", P3_GMAIL_BUSY, EX_TEMPFAIL, NULL},
    {"userRateLimitExceeded", P3_GMAIL_BUSY, EX_TEMPFAIL, NULL},
    {"RATE_LIMIT_EXCEEDED", P3_GMAIL_BUSY, EX_TEMPFAIL, NULL},
    {"concurrentLimitExceeded", P3_GMAIL_BUSY, EX_TEMPFAIL, NULL},
    {"dailyLimitExceeded", P3_GMAIL_STOP, EX_TEMPFAIL, "the rest waits; run it again tomorrow"},
    {"quotaExceeded", P3_GMAIL_STOP, EX_TEMPFAIL,
     "the rest waits; if it stays, make room in the mailbox, or ask for a larger quota in Google's "
     "console"},
    {"limitExceeded", P3_GMAIL_STOP, EX_TEMPFAIL, "the rest waits; make room in the mailbox"},
    {"insufficientPermissions", P3_GMAIL_SCOPE, EX_NOPERM, NULL},
    {"ACCESS_TOKEN_SCOPE_INSUFFICIENT", P3_GMAIL_SCOPE, EX_NOPERM, NULL},
    {"accessNotConfigured", P3_GMAIL_STOP, EX_CONFIG,
     "enable the Gmail API in the project of the client, in Google's console"},
    {"SERVICE_DISABLED", P3_GMAIL_STOP, EX_CONFIG,
     "enable the Gmail API in the project of the client, in Google's console"},
    {"domainPolicy", P3_GMAIL_STOP, EX_NOPERM,
     "the administrator of the domain has to allow the Gmail API"},
    {"delegationDenied", P3_GMAIL_STOP, EX_NOPERM, NULL},
    {"failedPrecondition", P3_GMAIL_STOP, EX_UNAVAILABLE,
     "check that the user has a Gmail mailbox"},
    {"authError", P3_GMAIL_TOKEN, EX_NOPERM, NULL},
    {"backendError", P3_GMAIL_UNSURE, EX_TEMPFAIL, NULL},
    {"internalError", P3_GMAIL_UNSURE, EX_TEMPFAIL, NULL},
};

/* For an unknown reason. */
static p3_reason reason_of_status(long status)
{
    static const p3_reason stop = {"", P3_GMAIL_STOP, EX_UNAVAILABLE, "see gmail and gmail-url"};
    static const p3_reason busy = {"", P3_GMAIL_BUSY, EX_TEMPFAIL, NULL};
    static const p3_reason token = {"", P3_GMAIL_TOKEN, EX_NOPERM, NULL};
    static const p3_reason denied = {"", P3_GMAIL_STOP, EX_NOPERM, NULL};
    static const p3_reason there = {"", P3_GMAIL_THERE, EX_UNAVAILABLE, NULL};
    static const p3_reason message = {"", P3_GMAIL_MESSAGE, EX_UNAVAILABLE, NULL};
    static const p3_reason unsure = {"", P3_GMAIL_UNSURE, EX_TEMPFAIL, NULL};
    static const p3_reason missing = {"", P3_GMAIL_MISSING, EX_UNAVAILABLE,
                                      "see gmail and gmail-url"};
    switch (status) {
    case 404:
        return missing;
    case 400: /* an invalid message, or an attachment that a policy forbids */
    case 413:
    case 415:
    case 422:
        return message;
    case 401:
        return token;
    case 403:
        return denied;
    case 409:
        return there;
    case 408:
    case 429:
        return busy;
    default:
        return status >= 500 && status <= 599 ? unsure : stop;
    }
}

/* The first known reason of an error; or NULL. */
static const p3_reason *find_reason(const json_t *error)
{
    static const char *const lists[] = {"errors", "details"};
    for (size_t l = 0; l < sizeof lists / sizeof *lists; l++) {
        const json_t *list = json_object_get(error, lists[l]);
        for (size_t i = 0; i < json_array_size(list) && i < 20; i++) {
            const char *name = p3_member_text(json_array_get(list, i), "reason");
            for (size_t k = 0; name != NULL && k < sizeof reasons / sizeof *reasons; k++) {
                if (strcmp(reasons[k].name, name) == 0)
                    return &reasons[k];
            }
        }
    }
    return NULL;
}

/* Google's own text, on one line. */
static void take_words(const json_t *error, char out[P3_WORDS])
{
    const char *text = json_string_value(json_object_get(error, "message"));
    size_t len = 0;
    for (; text != NULL && text[len] != '\0' && len < P3_WORDS - 1; len++)
        out[len] = (unsigned char)text[len] < ' ' || text[len] == 0x7f ? ' ' : text[len];
    while (len > 0 && text[len] != '\0' && ((unsigned char)text[len] & 0xc0) == 0x80)
        len--; /* not within a character */
    out[len] = '\0';
}

/* Whether a request is refused because of a label in it: Google has no reason for that. */
static bool is_of_label(long status, const char *words)
{
    return status == 400 && strncasecmp(words, "Invalid label", 13) == 0;
}

static void advise(p3_gmail_verdict verdict, const p3_reason *reason, const char *renewal,
                   char *out, size_t size)
{
    const char *advice = reason->advice;
    if (advice == NULL && (verdict == P3_GMAIL_TOKEN || verdict == P3_GMAIL_SCOPE))
        snprintf(out, size, "%s; %s",
                 verdict == P3_GMAIL_TOKEN ? "the permission is no longer valid"
                                           : "grant all permissions that are asked for",
                 renewal);
    else if (advice == NULL && verdict == P3_GMAIL_STOP)
        snprintf(out, size,
                 "sign in as the user whom gmail names, by the main address of the mailbox; %s",
                 renewal);
    else if (advice == NULL && (verdict == P3_GMAIL_BUSY || verdict == P3_GMAIL_UNSURE))
        snprintf(out, size, "it is tried again later");
    else if (verdict == P3_GMAIL_LABEL)
        snprintf(out, size, "see labels");
    else
        snprintf(out, size, "%s", advice != NULL ? advice : "");
}

p3_gmail_verdict p3_gmail_judge(long status, const char *body, size_t len, const char *doing,
                                const char *renewal, p3_problem *why)
{
    char words[P3_WORDS];
    char advice[300];
    if (status >= 200 && status <= 299)
        return P3_GMAIL_GOOD;
    json_t *answer = p3_members_read(body, len);
    const json_t *error = json_object_get(answer, "error");
    const p3_reason *known = find_reason(error);
    const p3_reason reason = known != NULL ? *known : reason_of_status(status);
    take_words(error, words);
    /* A reason that usually means something else does not make a server's failure certain. */
    p3_gmail_verdict verdict =
        status >= 500 && reason.verdict == P3_GMAIL_MESSAGE ? P3_GMAIL_UNSURE : reason.verdict;
    if (verdict == P3_GMAIL_MESSAGE && is_of_label(status, words))
        verdict = P3_GMAIL_LABEL;
    advise(verdict, &reason, renewal, advice, sizeof advice);
    p3_problem_set(why, reason.exit, "%s: Google answers %ld%s%s%s%s%s%s", doing, status,
                   reason.name[0] != '\0' ? " " : "", reason.name, words[0] != '\0' ? ", " : "",
                   words, advice[0] != '\0' ? "; " : "", advice);
    p3_members_free(answer);
    return verdict;
}

int64_t p3_gmail_retry_after(const char *body, size_t len, int64_t now)
{
    static const char before[] = "Retry after ";
    json_t *answer = p3_members_read(body, len);
    const char *words = p3_member_text(json_object_get(answer, "error"), "message");
    const char *at = words != NULL ? strstr(words, before) : NULL;
    struct tm time = {0};
    bool named = at != NULL && strptime(at + strlen(before), "%Y-%m-%dT%H:%M:%S", &time) != NULL;
    int64_t then = named ? (int64_t)timegm(&time) : 0;
    p3_members_free(answer);
    return then > now ? then - now : 0;
}

/* pop3 authorize: obtains and manages the permission for an account's tokens. */
#include "cli/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "cli/browser.h"
#include "cli/chosen_accounts.h"
#include "cli/oauth.h"
#include "cli/output.h"
#include "cli/qr_code.h"
#include "token/authorize.h"
#include "token/token.h"

/* ---- speaking with the person ---- */

static void show_url(void *ctx, const char *url, const char *code)
{
    const p3_arguments *a = ctx;
    if (code != NULL) {
        p3_print(stdout, "Open %s\nand enter the code %s\n", url, code);
        if (isatty(STDOUT_FILENO))
            (void)p3_qr_code_print(url);
        p3_print(stdout, "Waiting until that is done...\n");
    } else if (a->run.paste) {
        p3_print(stdout,
                 "Open this address in a browser, on any machine:\n\n%s\n\nSign in. At the end the "
                 "browser shows a code, or an address that it cannot open;\npaste that here, and "
                 "press Enter:\n",
                 url);
    } else {
        bool opened = p3_browser_open(url);
        p3_print(stdout,
                 "%s\n\n%s\n\nWaiting for the browser to come back to this machine. If it cannot, "
                 "use --device or --paste.\n",
                 opened ? "Sign in in the browser that opens now. If none does, open:"
                        : "Open this address in a browser on this machine, and sign in:",
                 url);
    }
    (void)fflush(stdout);
}

static char *read_line(void *ctx)
{
    char *line = NULL;
    size_t size = 0;
    (void)ctx;
    if (getline(&line, &size, stdin) > 0)
        return line;
    free(line);
    return NULL;
}

/* ---- showing what there is ---- */

static void print_time(const char *what, int64_t when)
{
    char text[64];
    struct tm tm;
    time_t t = (time_t)when;
    if (when != 0 && gmtime_r(&t, &tm) != NULL &&
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &tm) > 0)
        p3_print(stdout, "%-14s %s\n", what, text);
}

static void print_text(const char *what, const char *text)
{
    if (text != NULL)
        p3_print(stdout, "%-14s %s\n", what, text);
}

static bool show_kept(const p3_token_account *t, p3_problem *why)
{
    p3_token_record r;
    bool found;
    if (!p3_token_load(&t->store, &r, &found, why))
        return false;
    if (!found)
        return p3_problem_set(why, EX_NOINPUT,
                              "showing the tokens: none are kept; run: pop3 authorize %s", t->word);
    if (p3_token_is_in_keyring(&t->store)) {
        print_text("kept in", "the desktop's keyring");
    } else {
        print_text("file", t->store.path);
        print_text("encryption", t->store.key.data != NULL ? "AES-256-GCM" : "none");
    }
    print_text("client", r.client.id);
    print_text("asked at", r.client.endpoint);
    print_text("scope", r.tokens.scope);
    print_text("refresh token", r.tokens.refresh != NULL ? "kept" : "none");
    print_time("obtained", r.tokens.obtained);
    print_time("ends", r.tokens.expires);
    print_time("waits until", r.trouble.until);
    print_text("problem", r.trouble.refusal);
    p3_token_record_clear(&r);
    return true;
}

/* ---- doing it ---- */

static bool withdraw(const p3_token_account *t, p3_problem *why)
{
    bool withdrawn;
    if (!p3_token_revoke(t, &withdrawn, why))
        return false;
    if (withdrawn)
        p3_print(stdout, "The permission is withdrawn, and the tokens are deleted.\n");
    else
        p3_print(stdout,
                 "The tokens are deleted. This provider does not withdraw permissions on request: "
                 "do that at %s\n",
                 t->provider != NULL ? t->provider->consent : "its own pages");
    return true;
}

static bool check_account(const p3_token_account *t, p3_problem *why)
{
    if (!p3_token_renew(t, why))
        return false;
    p3_print(stdout, "The token was refreshed.\n");
    return true;
}

static bool obtain(p3_arguments *a, const p3_token_account *t, p3_problem *why)
{
    const p3_token_dialogue d = {.show = show_url, .ask = read_line, .ctx = a};
    bool ok = t->grant == P3_GRANT_CLIENT ? p3_token_renew(t, why)
              : a->run.device             ? p3_token_authorize_device(t, &d, why)
              : a->run.paste              ? p3_token_authorize_pasted(t, &d, why)
                                          : p3_token_authorize(t, &d, why);
    if (ok && a->run.target)
        p3_print(stdout, "The permission is there. Mail can be delivered: pop3 sync %s\n",
                 a->rest[a->count - 1]);
    else if (ok)
        p3_print(stdout, "The permission is there. Mail can be retrieved: pop3 sync %s\n", t->word);
    return ok;
}

static bool authorize_account(p3_arguments *a, const p3_token_account *t, p3_problem *why)
{
    const p3_run_settings *run = &a->run;
    if (run->device + run->paste + run->show + run->check + run->revoke > 1)
        return p3_problem_set(why, EX_USAGE,
                              "--device, --paste, --show, --check and --revoke exclude each other");
    return run->show     ? show_kept(t, why)
           : run->check  ? check_account(t, why)
           : run->revoke ? withdraw(t, why)
                         : obtain(a, t, why);
}

int p3_cmd_authorize(p3_arguments *a)
{
    p3_problem why = {0};
    p3_chosen chosen = {0};
    p3_oauth oauth = {0};
    bool ok = p3_chosen_read_for_tokens(&chosen, a, "authorize", &why);
    const p3_local_account *account = ok ? &chosen.at[0] : NULL;
    const p3_secret_source *source =
        ok ? p3_chosen_tokens(account, a, "asking for the permission", &why) : NULL;
    ok = source != NULL && p3_oauth_read(source, &oauth, &why) &&
         authorize_account(a, &oauth.account, &why);
    if (!ok && source != NULL)
        p3_oauth_name_settings(source, &why);
    int status =
        ok ? EX_OK : p3_print_problem(account != NULL ? account->account.name : NULL, &why);
    p3_oauth_free(&oauth);
    p3_chosen_free(&chosen);
    return status;
}

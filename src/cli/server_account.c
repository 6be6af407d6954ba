/* An account's settings for the IMAP or SMTP server of a target. */
#include "cli/server_account.h"

#include <stdlib.h>
#include <string.h>

#include "cli/secret.h"

/* The function for a secret in the options. */
static bool find_secret(void *source, p3_server_secret *out, p3_problem *why)
{
    p3_secret secret = {.text = out->text,
                        .len = out->text != NULL ? strlen(out->text) : 0,
                        .is_token = out->is_token};
    bool ok = p3_secret_find(source, &secret, why);
    *out = (p3_server_secret){.text = secret.text, .is_token = secret.is_token};
    return ok;
}

p3_server_account *p3_server_account_new(const p3_settings *s, const p3_target *t, const char *word,
                                         p3_problem *why)
{
    p3_server_account *m = calloc(1, sizeof *m);
    bool is_smtp = t->kind == P3_TARGET_SMTP;
    p3_server_url url;
    bool read = p3_target_row_of(t->kind)->server(&url, t->where); /* it was parsed before */
    if (m == NULL || !read ||
        !p3_target_secret_make(&m->secret, s, t, word, url.user, &url.server)) {
        p3_server_account_free(m);
        p3_problem_memory(why);
        return NULL;
    }
    m->options = (p3_server_options){.ca_file = is_smtp ? s->smtp_ca_file : s->imap_ca_file,
                                     .allow_plaintext = is_smtp ? s->smtp_allow_plaintext
                                                                : s->imap_allow_plaintext,
                                     .secret = find_secret,
                                     .secret_ctx = &m->secret.source,
                                     .renewal = m->secret.renewal};
    m->imap = (p3_imap_options){.server = m->options,
                                .flags = s->flags,
                                .labels = s->labels,
                                .date = (p3_imap_date)s->internal_date};
    return m;
}

void p3_server_account_free(p3_server_account *m)
{
    while (m != NULL) {
        p3_server_account *next = m->next;
        p3_target_secret_free(&m->secret);
        free(m);
        m = next;
    }
}

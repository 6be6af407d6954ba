/* TLS contexts, shared by all accounts with the same settings. */
#include "cli/tls_shared.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "settings/text.h"

/* A text that differs if options differ; NULL and "" are different. NULL when out of memory; free()
 * it. */
static char *make_key(const pop3_tls_options *o)
{
    const char *texts[] = {o->ca_file,  o->ca_dir,      o->certificate_file, o->key_file,
                           o->crl_file, o->server_name, o->pinned_key};
    char *key = malloc(64);
    if (key != NULL)
        snprintf(key, 64, "%d %p", (int)o->min_version, o->verify_ctx);
    for (size_t i = 0; key != NULL && i < sizeof texts / sizeof *texts; i++) {
        char *longer = p3_text_join(key, texts[i] != NULL ? "\n=" : "\n-",
                                    texts[i] != NULL ? texts[i] : "", NULL);
        free(key);
        key = longer;
    }
    return key;
}

/* Makes room for one more. */
static bool grow(p3_tls_shared *s)
{
    char **keys = realloc(s->keys, (s->count + 1) * sizeof(char *));
    if (keys == NULL)
        return false;
    s->keys = keys;
    pop3_tls **at = realloc(s->at, (s->count + 1) * sizeof(pop3_tls *));
    if (at == NULL)
        return false;
    s->at = at;
    return true;
}

pop3_status p3_tls_shared_find(p3_tls_shared *shared, const pop3_tls_options *options,
                               pop3_tls **out, char *detail, size_t size)
{
    char *key = make_key(options);
    const size_t *place = key != NULL ? p3_name_index_find(&shared->index, key) : NULL;
    if (place != NULL) {
        *out = shared->at[*place];
        free(key);
        return POP3_OK;
    }
    pop3_status status = POP3_ERR_MEMORY;
    *out = NULL;
    snprintf(detail, size, "out of memory");
    if (key != NULL && grow(shared))
        status = pop3_tls_new(out, options, detail, size);
    if (status == POP3_OK && p3_name_index_add(&shared->index, key, shared->count)) {
        shared->keys[shared->count] = key;
        shared->at[shared->count++] = *out;
        return POP3_OK;
    }
    if (status == POP3_OK) {
        snprintf(detail, size, "out of memory");
        status = POP3_ERR_MEMORY;
    }
    pop3_tls_free(*out);
    *out = NULL;
    free(key);
    return status;
}

void p3_tls_shared_free(p3_tls_shared *shared)
{
    p3_name_index_free(&shared->index);
    for (size_t i = 0; i < shared->count; i++) {
        pop3_tls_free(shared->at[i]);
        free(shared->keys[i]);
    }
    free(shared->at);
    free(shared->keys);
    *shared = (p3_tls_shared){0};
}

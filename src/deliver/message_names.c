/* Names for delivered messages. */
#include "deliver/message_names.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The Maildir specification: a slash is written as \057, a colon as \072, and so are other
 * characters that readers put after a name. */
static void quote_host(const char *host, char *out, size_t size)
{
    size_t used = 0;
    for (; *host != '\0' && used + 5 < size; host++) {
        if (strchr("/:;,!", *host) != NULL || (unsigned char)*host < '!')
            used += (size_t)snprintf(out + used, size - used, "\\%03o", (unsigned char)*host);
        else
            out[used++] = *host;
    }
    out[used] = '\0';
}

static void find_host(char *out, size_t size)
{
    char host[256] = "localhost";
    if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0')
        strcpy(host, "localhost");
    host[sizeof host - 1] = '\0';
    quote_host(host, out, size);
}

int p3_names_init(p3_names *n)
{
    uint64_t number;
    if (getentropy(&number, sizeof number) != 0)
        return errno;
    find_host(n->host, sizeof n->host);
    snprintf(n->start, sizeof n->start, "%lld.R%016" PRIx64, (long long)time(NULL), number);
    n->next = 0;
    return 0;
}

static int write_name(char *out, size_t size, const p3_names *n, p3_owner owner, uint64_t number)
{
    return snprintf(out, size, "%sO%sQ%" PRIu64 ".%s", n->start, owner.mark, number, n->host);
}

bool p3_name_list_init(p3_name_list *l, p3_names *n, size_t most, p3_owner owner)
{
    char longest[sizeof n->start + sizeof n->host + sizeof owner.mark + 32];
    /* Room for any number, because names of earlier runs are stored here, too. */
    size_t size = (size_t)write_name(longest, sizeof longest, n, owner, UINT64_MAX) + 2;
    *l = (p3_name_list){
        .text = calloc(most + 1, size), .size = size, .first = n->next, .owner = owner};
    n->next += most;
    return l->text != NULL;
}

void p3_name_list_renew(p3_name_list *l, p3_names *n, size_t most)
{
    l->count = 0;
    l->first = n->next;
    n->next += most;
}

void p3_name_list_free(p3_name_list *l)
{
    free(l->text);
    *l = (p3_name_list){0};
}

void p3_name_list_add(p3_name_list *l, const p3_names *n)
{
    (void)write_name(l->text + l->count * l->size, l->size - 1, n, l->owner, l->first + l->count);
    l->count++;
}

void p3_name_list_set(p3_name_list *l, size_t i, const char *name)
{
    size_t len = strlen(name);
    if (len == 0 || len + 1 >= l->size)
        return;
    memcpy(l->text + i * l->size, name, len + 1);
    l->text[(i + 1) * l->size - 1] = 1;
}

/* The text after characters of a kind, at least one; or NULL. */
static const char *skip(const char *at, const char *kind)
{
    size_t len = at != NULL ? strspn(at, kind) : 0;
    return len > 0 ? at + len : NULL;
}

/* The text after a word; or NULL. */
static const char *skip_word(const char *at, const char *word)
{
    size_t len = strlen(word);
    return at != NULL && len > 0 && strncmp(at, word, len) == 0 ? at + len : NULL;
}

/* The host in a name with an owner's mark; or NULL. */
static const char *host_of(const char *name, const char *owner)
{
    static const char digits[] = "0123456789";
    const char *at = skip_word(skip(name, digits), ".R");
    at = skip_word(skip_word(skip(at, "0123456789abcdef"), "O"), owner);
    return skip_word(skip(skip_word(at, "Q"), digits), ".");
}

bool p3_names_carry(const char *name, const char *owner)
{
    return host_of(name, owner) != NULL;
}

bool p3_names_made_for(const char *name, const char *owner)
{
    char host[sizeof((p3_names *)0)->host];
    const char *at = host_of(name, owner);
    if (at == NULL)
        return false;
    find_host(host, sizeof host);
    return strcmp(at, host) == 0;
}

bool p3_names_earlier(const char *name, const char *than, bool *same_run)
{
    size_t len = strcspn(name, "O");
    const char *q = strchr(name + len, 'Q');
    const char *p = strchr(than, 'Q');
    *same_run = q != NULL && p != NULL && strcspn(than, "O") == len && memcmp(name, than, len) == 0;
    return *same_run && strtoull(q + 1, NULL, 10) < strtoull(p + 1, NULL, 10);
}

/* Names for delivered messages. */
#include "deliver/names.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The Maildir specification: a slash is written as \057, a colon as \072. So is what else may stand
 * between a name and what readers put behind it. */
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

static int write_name(char *out, size_t size, const p3_names *n, uint64_t number)
{
    return snprintf(out, size, "%sQ%" PRIu64 ".%s", n->start, number, n->host);
}

bool p3_name_list_init(p3_name_list *l, p3_names *n, size_t most)
{
    char longest[sizeof n->start + sizeof n->host + 32];
    size_t size = (size_t)write_name(longest, sizeof longest, n, n->next + most) + 1;
    *l = (p3_name_list){.text = calloc(most + 1, size), .size = size, .first = n->next};
    n->next += most;
    return l->text != NULL;
}

void p3_name_list_free(p3_name_list *l)
{
    free(l->text);
    *l = (p3_name_list){0};
}

void p3_name_list_add(p3_name_list *l, const p3_names *n)
{
    (void)write_name(l->text + l->count * l->size, l->size, n, l->first + l->count);
    l->count++;
}

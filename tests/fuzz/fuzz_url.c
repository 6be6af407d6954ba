/* Fuzzing URLs: what is taken apart has no control character, and put together again, with all that
 * is not a letter or digit encoded, it is the same. */
#include "settings/url.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(bool ok)
{
    if (!ok)
        abort();
}

/* Appends a part with its mark in front; nothing for one that is not there. */
static void add(char *to, size_t size, const char *mark, const char *part)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t at = strlen(to);
    if (part == NULL)
        return;
    must(at + strlen(mark) + 3 * strlen(part) < size);
    strcpy(to + at, mark);
    at += strlen(mark);
    for (; *part != '\0'; part++) {
        unsigned char c = (unsigned char)*part;
        must(c >= 0x20 && c != 0x7f);
        to[at++] = '%';
        to[at++] = digits[c >> 4];
        to[at++] = digits[c & 15];
    }
    to[at] = '\0';
}

static bool same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* An empty user cannot be told from none, when something follows it. */
static const char *user_of(const p3_url *u)
{
    return u->user != NULL && u->user[0] != '\0' ? u->user : NULL;
}

static void try_again(const p3_url *u, size_t size)
{
    size_t room = 3 * size + 64;
    char *text = malloc(room);
    p3_url again;
    p3_problem why;
    must(text != NULL);
    strcpy(text, u->security == POP3_SECURITY_TLS ? "pop3s://" : "pop3://");
    add(text, room, "", u->user);
    add(text, room, ";AUTH=", u->mechanism);
    add(text, room, ":", u->password);
    if (u->user != NULL || u->mechanism != NULL || u->password != NULL)
        strcat(text, "@");
    add(text, room, "", u->host);
    if (u->port != 0)
        snprintf(text + strlen(text), room - strlen(text), ":%u", u->port);
    must(p3_url_parse(text, &again, &why));
    must(again.security == u->security && again.port == u->port);
    must(same(user_of(&again), user_of(u)) && same(again.password, u->password));
    must(same(again.mechanism, u->mechanism) && same(again.host, u->host));
    p3_url_free(&again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1); /* of its very size, so that a read outside of it is caught */
    p3_url u;
    p3_problem why = {0};
    must(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    if (p3_url_parse(text, &u, &why)) {
        must(p3_is_url(text));
        must(u.host != NULL && u.host[0] != '\0');
        must(u.security == POP3_SECURITY_TLS || u.security == POP3_SECURITY_STLS);
        try_again(&u, size);
    } else {
        must(why.exit != 0 && why.text[0] != '\0');
        must(u.user == NULL && u.password == NULL && u.mechanism == NULL && u.host == NULL);
    }
    p3_url_free(&u);
    free(text);
    return 0;
}

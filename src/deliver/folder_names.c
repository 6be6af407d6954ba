/* The places of a target's folders. */
#include "deliver/folder_names.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "deliver/imap_address.h"

/* Maildir++: a folder is a directory in the Maildir whose name has a dot before each part. */
char *p3_maildir_folder(const char *where, const char *name)
{
    char encoded[NAME_MAX];
    if (strcasecmp(name, "INBOX") == 0)
        return strdup(where);
    if (!p3_imap_encode(name, encoded, sizeof encoded))
        return NULL;
    for (char *at = encoded; *at != '\0'; at++)
        *at = *at == '/' ? '.' : *at;
    size_t len = strlen(encoded);
    if (encoded[0] == '.' || encoded[len - 1] == '.' || strstr(encoded, "..") != NULL)
        return NULL;
    size_t size = strlen(where) + len + 3;
    char *path = malloc(size);
    if (path != NULL)
        snprintf(path, size, "%s/.%s", where, encoded);
    return path;
}

/* The folder's name is that on the server, independent of the URL's own folder. */
char *p3_imap_folder_url(const char *where, const char *name)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    p3_imap_address a;
    p3_imap_address made;
    if (!p3_imap_address_read(&a, where))
        return NULL;
    size_t host = a.at.rest - (where[a.at.rest - 1] == '/');
    size_t size = host + 3 * strlen(name) + 2;
    char *url = malloc(size);
    if (url == NULL)
        return NULL;
    size_t used = (size_t)snprintf(url, size, "%.*s/", (int)host, where);
    for (const char *at = name; *at != '\0'; at++)
        used += (size_t)snprintf(url + used, size - used,
                                 strchr(plain, *at) != NULL ? "%c" : "%%%02X", (unsigned char)*at);
    if (p3_imap_address_read(&made, url))
        return url;
    free(url);
    return NULL;
}

/* URLs of Google's API. */
#include "deliver/gmail_options.h"

#include <stdio.h>
#include <string.h>

bool p3_gmail_url_read(p3_server_address *out, const char *url)
{
    static const char scheme[] = "https://";
    char text[300];
    size_t len = strlen(url);
    if (strncmp(url, scheme, sizeof scheme - 1) != 0 || len >= sizeof text - 8)
        return false;
    snprintf(text, sizeof text, "%s", url + sizeof scheme - 1);
    len = strlen(text);
    if (len > 0 && text[len - 1] == '/')
        text[--len] = '\0';
    if (text[strcspn(text, "/?#@\\% ")] != '\0')
        return false;
    const char *colon = strrchr(text, ':');
    if (colon == NULL || strchr(colon, ']') != NULL)
        snprintf(text + len, sizeof text - len, ":443");
    return p3_server_address_read(out, text) && out->path == NULL;
}

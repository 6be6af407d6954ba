/* Name lookups outside of the sandbox, with everything that a resolver's modules need: files,
 * sockets, UDP. */
#include "confine/duty_names.h"

#include <netdb.h>
#include <string.h>

void p3_duty_look_up(const char *name, p3_name_answer *answer)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    *answer = (p3_name_answer){.error = getaddrinfo(name, NULL, &hints, &list)};
    for (const struct addrinfo *a = list; a != NULL; a = a->ai_next) {
        if (answer->count < POP3_RESOLVE_ADDRESSES && a->ai_addrlen <= sizeof *answer->addresses)
            memcpy(&answer->addresses[answer->count++], a->ai_addr, a->ai_addrlen);
    }
    if (list != NULL)
        freeaddrinfo(list);
}

/* Host names for resolvers. */
#include <pop3/client.h>

#include "io/idn.h"

#include <stdlib.h>
#include <string.h>

pop3_status pop3_host_to_ascii(const char *host, char out[POP3_HOST_NAME_SIZE])
{
    char *name = NULL;
    pop3_status status =
        host == NULL || out == NULL ? POP3_ERR_ARGUMENT : p3_idn_to_ascii(host, &name);
    if (status == POP3_OK) /* p3_idn_to_ascii() accepts no longer one */
        memcpy(out, name, strlen(name) + 1);
    free(name);
    return status;
}

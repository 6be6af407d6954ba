/* A program that uses the installed library, as C99, C17 and C++ alike. */
#include <pop3/pop3.h>
#include <stdio.h>

int main(void)
{
    pop3_engine *engine = NULL;
    pop3_client *client = NULL;
    if (pop3_engine_new(&engine, NULL) != POP3_OK)
        return 1;
    pop3_engine_free(engine);
    /* no options: an error, not a crash */
    if (pop3_client_new(&client, NULL) != POP3_ERR_ARGUMENT || client != NULL)
        return 1;
    puts(pop3_version());
    return 0;
}

/* A program that uses the installed library, as C99, C17 and C++ alike: it makes each struct of
 * options, asks the engine for a command's octets, and is refused a client that has no server. */
#include <pop3/pop3.h>
#include <stdio.h>
#include <string.h>

static int renders_noop(void)
{
    pop3_engine_options options = POP3_ENGINE_OPTIONS_INIT;
    pop3_command noop = POP3_COMMAND_INIT;
    pop3_engine *engine = NULL;
    int right;
    noop.kind = POP3_CMD_NOOP;
    if (options.size != sizeof options || pop3_engine_new(&engine, &options) != POP3_OK)
        return 0;
    right = pop3_engine_submit(engine, &noop) == POP3_OK;
    pop3_engine_free(engine);
    return right;
}

int main(void)
{
    pop3_client_options options = POP3_CLIENT_OPTIONS_INIT;
    pop3_login_options login = POP3_LOGIN_OPTIONS_INIT;
    pop3_tls_options tls = POP3_TLS_OPTIONS_INIT;
    pop3_handlers handlers = POP3_HANDLERS_INIT;
    pop3_client *client = NULL;
    if (!renders_noop() || options.engine.size != sizeof options.engine ||
        login.size != sizeof login || tls.size != sizeof tls || handlers.size != sizeof handlers ||
        handlers.ctx != NULL)
        return 1;
    /* no server: an error, not a crash */
    if (pop3_client_new(&client, &options) != POP3_ERR_ARGUMENT || client != NULL)
        return 1;
    puts(pop3_version());
    return 0;
}

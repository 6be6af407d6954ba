/* The least that visits over TLS cost: handshake, all commands of a visit that finds nothing new in
 * one write, and reading until the server closes; one visit after the other, in one TLS context.
 *
 *     bench-visits [--resume] PORT VISITS
 *
 * With --resume each visit resumes the session of the one before.
 *
 * This is a yardstick and no client: it verifies nothing and parses nothing.
 */
#include "common.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static SSL_SESSION *kept;

static int keep(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    SSL_SESSION_free(kept);
    kept = session;
    return 1;
}

static void visit(SSL_CTX *context, uint16_t port)
{
    static const char commands[] = "USER user\r\nPASS pass\r\nCAPA\r\nUIDL\r\nLIST\r\nQUIT\r\n";
    static char room[16 * 1024];
    int fd = connect_to(port, 0);
    SSL *ssl = SSL_new(context);
    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1 ||
        (kept != NULL && SSL_set_session(ssl, kept) != 1))
        die_plain("TLS");
    if (SSL_connect(ssl) != 1 || SSL_write(ssl, commands, sizeof commands - 1) <= 0)
        die_plain("the handshake failed");
    while (SSL_read(ssl, room, sizeof room) > 0)
        continue;
    SSL_free(ssl);
    close(fd);
}

int main(int argc, char **argv)
{
    bool resumes = argc == 4 && strcmp(argv[1], "--resume") == 0;
    if (argc != 3 && !resumes)
        die_plain("expected [--resume] PORT VISITS");
    uint16_t port = (uint16_t)number_or_die(argv[argc - 2], UINT16_MAX);
    size_t visits = number_or_die(argv[argc - 1], 1000000);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL)
        die_plain("TLS");
    SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    if (resumes) {
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(context, keep);
    }
    for (size_t i = 0; i < visits; i++)
        visit(context, port);
    SSL_SESSION_free(kept);
    SSL_CTX_free(context);
    return EXIT_SUCCESS;
}

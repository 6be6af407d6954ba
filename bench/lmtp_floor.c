/* The least that a program does which hands mail in by LMTP (RFC 2033), as the measure of delivery:
 * it sends the same message again and again from memory, pipelined as far as RFC 2920 allows: the
 * next message's MAIL, RCPT and DATA behind the last one's end.
 *
 *     bench-lmtp SOCKET RECIPIENT MESSAGES SIZE
 */
#include "common.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LINE "a line of text in a message of the benchmark, as long as such lines are\r\n"

static char replies[4096];
static size_t replies_len;

static int connect_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (strlen(path) >= sizeof address.sun_path)
        die_plain("the socket's path is too long");
    strcpy(address.sun_path, path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        die(path);
    return fd;
}

static void send_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
        if (n < 0)
            die("send");
        data += n;
        len -= (size_t)n;
    }
}

/* Reads one reply of any number of lines, which must begin with `code`. */
static void expect(int fd, char code)
{
    for (;;) {
        char *end = memchr(replies, '\n', replies_len);
        if (end != NULL) {
            size_t len = (size_t)(end + 1 - replies);
            bool more = len > 4 && replies[3] == '-';
            if (replies[0] != code)
                die_plain("the server refused something");
            memmove(replies, end + 1, replies_len - len);
            replies_len -= len;
            if (!more)
                return;
            continue;
        }
        ssize_t n = recv(fd, replies + replies_len, sizeof replies - replies_len, 0);
        if (n <= 0)
            die("recv");
        replies_len += (size_t)n;
    }
}

/* The message with its end, and behind it the commands of the next one. */
static char *render(const char *commands, size_t size, size_t *message_len, size_t *len)
{
    char *text = NULL;
    FILE *f = open_memstream(&text, len);
    if (f == NULL)
        die("memory");
    fputs("From: <a@bench.example>\r\nSubject: message\r\n\r\n", f);
    while ((size_t)ftell(f) + strlen(LINE) <= size)
        fputs(LINE, f);
    fputs(".\r\n", f);
    *message_len = (size_t)ftell(f);
    fputs(commands, f);
    if (fclose(f) != 0)
        die("memory");
    return text;
}

int main(int argc, char **argv)
{
    char commands[300];
    if (argc != 5)
        die_plain("expected SOCKET RECIPIENT MESSAGES SIZE");
    size_t messages = number_or_die(argv[3], 10000000);
    size_t size = number_or_die(argv[4], 1 << 30);
    size_t message_len;
    size_t len;
    int fd = connect_unix(argv[1]);
    snprintf(commands, sizeof commands, "MAIL FROM:<>\r\nRCPT TO:<%.200s>\r\nDATA\r\n", argv[2]);
    char *text = render(commands, size, &message_len, &len);
    expect(fd, '2');
    send_all(fd, "LHLO localhost\r\n", 16);
    expect(fd, '2');
    send_all(fd, commands, strlen(commands));
    for (size_t i = 0; i < messages; i++) {
        expect(fd, '2');
        expect(fd, '2');
        expect(fd, '3');
        send_all(fd, text, i + 1 < messages ? len : message_len);
        expect(fd, '2');
    }
    send_all(fd, "QUIT\r\n", 6);
    expect(fd, '2');
    close(fd);
    free(text);
    return EXIT_SUCCESS;
}

/* Immediate acknowledgements: TCP_QUICKACK. */
#define _DEFAULT_SOURCE /* TCP_QUICKACK in <netinet/tcp.h> */
#include "system/acknowledge.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

void p3_acknowledge(int fd)
{
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}

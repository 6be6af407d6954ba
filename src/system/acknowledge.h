/* TCP's acknowledgements. */
#ifndef P3_SYSTEM_ACKNOWLEDGE_H
#define P3_SYSTEM_ACKNOWLEDGE_H

/* Acknowledges what has come by now. The peer may hold back what it sends next until then (Nagle's
 * algorithm), and the system waits for something to send along (RFC 1122 §4.2.3.2), up to 40 ms.
 * Where the system has no way to ask for it, it does nothing: such peers are slower there. */
void p3_acknowledge(int fd);

#endif

/* TCP's acknowledgements. */
#ifndef P3_SYSTEM_ACKNOWLEDGE_H
#define P3_SYSTEM_ACKNOWLEDGE_H

/* Acknowledges what has been received. The peer may delay its next data until then (Nagle's
 * algorithm), and the system delays acknowledgements by up to 40 ms (RFC 1122 §4.2.3.2). Does
 * nothing on systems without a way to do that: such peers are slower there. */
void p3_acknowledge(int fd);

#endif

/* An address as a QR code, for a telephone's camera. */
#ifndef P3_CLI_QR_CODE_H
#define P3_CLI_QR_CODE_H

#include <stdbool.h>

/* Prints it in block characters on standard output, light on dark. Returns whether that was
 * possible: libqrencode has to be there. */
bool p3_qr_code_print(const char *text);

#endif

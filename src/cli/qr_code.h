/* A QR code of an address, for a telephone's camera. */
#ifndef P3_CLI_QR_CODE_H
#define P3_CLI_QR_CODE_H

#include <stdbool.h>

/* Prints it in block characters to standard output, light on dark. Returns false if libqrencode is
 * not available. */
bool p3_qr_code_print(const char *text);

#endif

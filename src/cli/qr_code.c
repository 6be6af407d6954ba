/* A QR code of an address, by libqrencode, which is loaded when it is first needed. */
#include "cli/qr_code.h"

#ifdef P3_QRENCODE_SONAME

#include <qrencode.h>
#include <stdio.h>
#include <string.h>

#include "cli/output.h"
#include "optional/library.h"

#define P3_QUIET 2 /* light modules around it */

static struct {
    __typeof__(QRcode_encodeString) *encode;
    __typeof__(QRcode_free) *free;
} qr;
static const p3_symbol symbols[] = {{"QRcode_encodeString", &qr.encode}, {"QRcode_free", &qr.free}};
static p3_library library = P3_LIBRARY(P3_QRENCODE_SONAME, symbols);
P3_LIBRARY_NOTE(qrencode_note, "qr", P3_QRENCODE_SONAME, "QR codes of addresses to sign in at");

static bool is_light(const QRcode *code, int x, int y)
{
    if (x < 0 || y < 0 || x >= code->width || y >= code->width)
        return true;
    return (code->data[y * code->width + x] & 1) == 0;
}

/* A character shows two modules, one above the other. */
static bool print_code(const QRcode *code)
{
    static const char *const blocks[] = {" ", "▄", "▀", "█"};
    bool ok = true;
    for (int y = -P3_QUIET; ok && y < code->width + P3_QUIET; y += 2) {
        for (int x = -P3_QUIET; ok && x < code->width + P3_QUIET; x++)
            ok = p3_print(stdout, "%s",
                          blocks[(is_light(code, x, y) ? 2 : 0) + is_light(code, x, y + 1)]);
        ok = ok && p3_print(stdout, "\n");
    }
    return ok;
}

bool p3_qr_code_print(const char *text)
{
    if (!p3_library_load(&library))
        return false;
    QRcode *code = qr.encode(text, 0, QR_ECLEVEL_L, QR_MODE_8, 1);
    bool ok = code != NULL && print_code(code);
    if (code != NULL)
        qr.free(code);
    return ok;
}

#else

bool p3_qr_code_print(const char *text)
{
    (void)text;
    return false;
}

#endif

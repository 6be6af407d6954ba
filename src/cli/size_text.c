/* Sizes and times as text. */
#include "cli/size_text.h"

#include <inttypes.h>
#include <stdio.h>

#include <pop3/types.h>

const char *p3_size_text(uint64_t octets, char out[P3_SHORT_TEXT])
{
    static const char *const units[] = {"KB", "MB", "GB", "TB", "PB"};
    double n = (double)octets;
    size_t unit = 0;
    if (octets == POP3_OCTETS_UNKNOWN)
        return "size ?";
    if (octets < 1000) {
        snprintf(out, P3_SHORT_TEXT, "%" PRIu64 " B", octets);
        return out;
    }
    for (n /= 1024; n >= 999.5 && unit < 4; unit++)
        n /= 1024;
    snprintf(out, P3_SHORT_TEXT, n < 99.95 ? "%.1f %s" : "%.0f %s", n, units[unit]);
    return out;
}

const char *p3_time_text(double seconds, char out[P3_SHORT_TEXT])
{
    long s = seconds < 0 ? 0 : seconds > 3e8 ? 300000000L : (long)(seconds + 0.5);
    if (s < 60)
        snprintf(out, P3_SHORT_TEXT, "%ld s", s);
    else if (s < 3600)
        snprintf(out, P3_SHORT_TEXT, "%ld:%02ld min", s / 60, s % 60);
    else
        snprintf(out, P3_SHORT_TEXT, "%ld:%02ld h", s / 3600, s / 60 % 60);
    return out;
}

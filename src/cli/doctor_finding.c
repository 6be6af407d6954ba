/* The output of `pop3 doctor`: one finding on each line. */
#include "cli/doctor_finding.h"

#include <stdarg.h>
#include <stdio.h>

#include "cli/output.h"

void p3_finding(const char *mark, const char *what, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    p3_print(stdout, "%-5s%-14s %s\n", mark, what, text);
    fflush(stdout);
}

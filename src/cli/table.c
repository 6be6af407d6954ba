/* Tables for the terminal. */
#include "cli/table.h"

#include <langinfo.h>
#include <locale.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "cli/output.h"

#define P3_GAP       2  /* blanks between columns */
#define P3_CHAR_MOST 6  /* octets of a character */
#define P3_LEAST     10 /* a column is never narrower */

unsigned p3_table_terminal(FILE *out)
{
    struct winsize w;
    if (!isatty(fileno(out)))
        return 0;
    return ioctl(fileno(out), TIOCGWINSZ, &w) == 0 && w.ws_col > 0 ? w.ws_col : 80;
}

void p3_table_fit(p3_column *columns, size_t count, unsigned terminal)
{
    int used = 0;
    int flexible = 0;
    /* The locale provides the widths of characters; the text is always UTF-8. */
    (void)setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        (void)setlocale(LC_CTYPE, "C.UTF-8");
    if (terminal == 0)
        return;
    for (size_t i = 0; i < count; i++) {
        used += columns[i].width + (i > 0 ? P3_GAP : 0);
        flexible += columns[i].width == 0;
    }
    int left = (int)terminal - used;
    for (size_t i = 0; i < count; i++) {
        if (columns[i].width != 0)
            continue;
        columns[i].width = left / flexible > P3_LEAST ? left / flexible : P3_LEAST;
        left -= columns[i].width;
        flexible--;
    }
}

/* The next character: its octets and its width on the terminal. */
static size_t next_char(const char *text, int *width)
{
    mbstate_t state = {0};
    wchar_t c;
    size_t n = mbrtowc(&c, text, strnlen(text, P3_CHAR_MOST), &state);
    if (n == 0 || n > 6) {
        *width = 1; /* the locale is not UTF-8: one octet */
        return 1;
    }
    *width = wcwidth(c);
    if (*width < 0)
        *width = 0;
    return n;
}

static int width_of(const char *text)
{
    int total = 0;
    int width;
    while (*text != '\0') {
        text += next_char(text, &width);
        total += width;
    }
    return total;
}

/* Prints as much as fits, and returns its width. */
static int print_cut(FILE *out, const char *text, int room)
{
    int total = 0;
    int width;
    while (*text != '\0') {
        size_t n = next_char(text, &width);
        if (total + width > room - 1)
            break;
        p3_print(out, "%.*s", (int)n, text);
        text += n;
        total += width;
    }
    p3_print(out, "\xe2\x80\xa6");
    return total + 1;
}

void p3_table_row(FILE *out, const p3_column *columns, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int width = width_of(texts[i]);
        int room = columns[i].width;
        bool last = i + 1 == count;
        if (columns[i].right)
            p3_print(out, "%*s", room > width ? room - width : 0, "");
        if (room > 0 && width > room)
            width = print_cut(out, texts[i], room);
        else
            p3_print(out, "%s", texts[i]);
        if (!columns[i].right && !last)
            p3_print(out, "%*s", room > width ? room - width : 0, "");
        p3_print(out, "%*s", last ? 0 : P3_GAP, "");
    }
    p3_print(out, "\n");
}

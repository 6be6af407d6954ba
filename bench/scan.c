/* How fast each version of the scanner looks through a message, in GB/s, beside memchr(3) for the
 * line ends and memcpy(3) of the same octets.
 *
 *     bench-scan [--octets N]         default 262,144: the client's largest receive buffer
 *
 * The inputs: base64 in lines of 76, text in short lines, and text in which every fourth line
 * starts with a dot, which makes every search a short one. Of 15 runs the fastest counts.
 */
#include "common.h"
#include "core/scan.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUNS     15
#define RUN_TIME 0.01

/* An input: lines of `shortest` to `longest` octets; each `dots`-th starts with a dot (0: none). */
typedef struct input {
    const char *name;
    size_t shortest, longest;
    size_t dots;
} input;

static const input inputs[] = {
    {"base64", 76, 76, 0},
    {"short lines", 5, 45, 0},
    {"many dots", 5, 45, 4},
};

/* Goes through [p, p + len) and returns something that depends on it. */
typedef size_t (*pass_fn)(const char *p, size_t len);

static p3_find_fn *find; /* the version that pass_find() measures */
static char *copy;
static volatile size_t last_result; /* so that no pass can be optimized away */

static size_t pass_find(const char *p, size_t len)
{
    const char *end = p + len;
    size_t hits = 0;
    while ((p = find(p, end)) != NULL) {
        p++;
        hits++;
    }
    return hits;
}

static size_t pass_memchr(const char *p, size_t len)
{
    const char *end = p + len;
    size_t lines = 0;
    while ((p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
        p++;
        lines++;
    }
    return lines;
}

static size_t pass_memcpy(const char *p, size_t len)
{
    memcpy(copy, p, len);
    return (unsigned char)copy[len / 2];
}

static void fill(char *p, size_t len, const input *in)
{
    unsigned random = 12345;
    size_t line = 0;
    for (size_t at = 0; at < len; line++) {
        random = random * 1103515245U + 12345U;
        size_t length = in->shortest + (random >> 16) % (in->longest - in->shortest + 1);
        for (size_t i = 0; i < length + 2 && at < len; i++, at++) {
            char text = (char)('a' + (char)((i + line) % 26));
            bool dot = i == 0 && in->dots > 0 && line % in->dots == 0;
            p[at] = i == length ? '\r' : i == length + 1 ? '\n' : dot ? '.' : text;
        }
    }
}

/* Gigabytes a second of the fastest run. */
static double measure(pass_fn pass, const char *p, size_t len)
{
    double best = 0;
    for (int run = 0; run < RUNS; run++) {
        double begin = now_seconds();
        double end = begin;
        size_t times = 0;
        for (; end - begin < RUN_TIME; end = now_seconds(), times += 8) {
            for (int i = 0; i < 8; i++)
                last_result = pass(p, len);
        }
        double speed = (double)len * (double)times / (end - begin) / 1e9;
        best = speed > best ? speed : best;
    }
    return best;
}

int main(int argc, char **argv)
{
    size_t len = (size_t)256 * 1024;
    if (argc == 3 && strcmp(argv[1], "--octets") == 0)
        len = number_or_die(argv[2], UINT32_MAX);
    else if (argc != 1)
        die_plain("[--octets N]");
    char *text = malloc(len);
    copy = malloc(len);
    if (text == NULL || copy == NULL || len == 0)
        die_plain("no memory for that many octets");
    p3_find_version versions[8];
    size_t count = p3_find_versions(versions, 8);
    printf("%-12s %9s %9s", "GB/s", "memcpy", "memchr");
    for (size_t v = 0; v < count; v++)
        printf(" %9s", versions[v].name);
    putchar('\n');
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        fill(text, len, &inputs[i]);
        memset(copy, 0, len);
        printf("%-12s %9.2f %9.2f", inputs[i].name, measure(pass_memcpy, text, len),
               measure(pass_memchr, text, len));
        for (size_t v = 0; v < count; v++) {
            find = versions[v].find;
            printf(" %9.2f", measure(pass_find, text, len));
        }
        putchar('\n');
    }
    free(text);
    free(copy);
    return EXIT_SUCCESS;
}

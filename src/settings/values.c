/* Values in text form. */
#include "settings/values.h"

#include <string.h>
#include <strings.h>

bool p3_value_yes_no(const char *text, bool *out)
{
    static const char *const words[][2] = {
        {"no", "yes"}, {"off", "on"}, {"false", "true"}, {"0", "1"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        *out = strcasecmp(text, words[i][1]) == 0;
        if (*out || strcasecmp(text, words[i][0]) == 0)
            return true;
    }
    return false;
}

/* Reads digits; returns what follows. */
static const char *read_digits(const char *text, uint64_t *out)
{
    if (*text < '0' || *text > '9')
        return NULL;
    for (*out = 0; *text >= '0' && *text <= '9'; text++) {
        if (*out > (UINT64_MAX - 9) / 10)
            return NULL;
        *out = *out * 10 + (uint64_t)(*text - '0');
    }
    return text;
}

bool p3_value_number(const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
    const char *end = read_digits(text, out);
    return end != NULL && *end == '\0' && *out >= least && *out <= most;
}

/* A number and its unit: parallel arrays of units and factors. */
static bool read_with_unit(const char *text, const char *const *units, const uint64_t *factors,
                           uint64_t *out)
{
    const char *end = read_digits(text, out);
    for (size_t i = 0; end != NULL && units[i] != NULL; i++) {
        if (strcasecmp(end, units[i]) != 0)
            continue;
        if (*out > (uint64_t)INT64_MAX / factors[i])
            return false;
        *out *= factors[i];
        return true;
    }
    return false;
}

bool p3_value_size(const char *text, uint64_t *out)
{
    static const char *const units[] = {"", "K", "KB", "M", "MB", "G", "GB", NULL};
    static const uint64_t factors[] = {1, 1024, 1024, 1048576, 1048576, 1073741824, 1073741824};
    return read_with_unit(text, units, factors, out);
}

bool p3_value_time_ms(const char *text, int64_t *out)
{
    static const char *const units[] = {"ms", "", "s", "m", "h", "d", "w", NULL};
    static const uint64_t factors[] = {1, 1000, 1000, 60000, 3600000, 86400000, 604800000};
    uint64_t ms;
    if (!read_with_unit(text, units, factors, &ms))
        return false;
    *out = (int64_t)ms;
    return true;
}

int p3_value_choice(const char *text, const char *words)
{
    size_t len = strlen(text);
    for (int i = 0; words != NULL && *words != '\0'; i++) {
        size_t n = strcspn(words, " ");
        if (n == len && strncmp(words, text, n) == 0)
            return i;
        words += n + (words[n] == ' ');
    }
    return -1;
}

size_t p3_word_distance(const char *a, const char *b)
{
    size_t row[64];
    size_t len = strlen(b);
    if (len >= sizeof row / sizeof *row || strlen(a) >= sizeof row / sizeof *row)
        return SIZE_MAX;
    for (size_t k = 0; k <= len; k++)
        row[k] = k;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t k = 1; k <= len; k++) {
            size_t best = corner + (a[i - 1] != b[k - 1]);
            corner = row[k];
            if (row[k] + 1 < best)
                best = row[k] + 1;
            if (row[k - 1] + 1 < best)
                best = row[k - 1] + 1;
            row[k] = best;
        }
    }
    return row[len];
}

size_t p3_word_reach(const char *mistaken)
{
    return strlen(mistaken) / 3 + 2;
}

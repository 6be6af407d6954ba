/* Plays a fuzz target without a fuzzer, so that it is in every build: each file of the corpus, then
 * variations of it that are the same in every run. Results as TAP, a line for each file.
 *
 *     replay CORPUS-FOLDER [VARIATIONS] */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Marsaglia's xorshift64. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* The octets that mean something to one of the parsers. */
static uint8_t octet(uint64_t r)
{
    static const char special[] = "\r\n.+-0123456789 \t[]<>@={}\",:*";
    return r % 4 == 0 ? (uint8_t)(r >> 8) : (uint8_t)special[(r >> 8) % (sizeof special - 1)];
}

/* Changes, cuts and doubles a few places. Returns the new size, at most `cap`. */
static size_t vary(uint8_t *data, size_t size, size_t cap, uint64_t *state)
{
    for (uint64_t i = 1 + next_random(state) % 4; i > 0 && size > 0; i--) {
        size_t at = (size_t)(next_random(state) % size);
        size_t n = (size_t)(next_random(state) % (size - at < 16 ? size - at + 1 : 16));
        switch (next_random(state) % 4) {
        case 0: /* takes some out */
            memmove(data + at, data + at + n, size - at - n);
            size -= n;
            break;
        case 1: /* doubles some */
            if (size + n <= cap) {
                memmove(data + at + n, data + at, size - at);
                size += n;
            }
            break;
        default:
            data[at] = octet(next_random(state));
        }
    }
    return size;
}

static int play(const char *path, unsigned long variations)
{
    static uint8_t input[65536], data[65536];
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return -1;
    size_t size = fread(input, 1, sizeof input, file);
    fclose(file);
    uint64_t state = UINT64_C(88172645463325252);
    LLVMFuzzerTestOneInput(input, size);
    for (unsigned long i = 0; i < variations; i++) {
        memcpy(data, input, size);
        LLVMFuzzerTestOneInput(data, vary(data, size, sizeof data, &state));
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct dirent **entries;
    unsigned long variations = argc > 2 ? strtoul(argv[2], NULL, 10) : 2000;
    int count = argc > 1 ? scandir(argv[1], &entries, NULL, alphasort) : -1;
    unsigned files = 0;
    for (int i = 0; i < count; i++) {
        char path[4096];
        const char *name = entries[i]->d_name;
        snprintf(path, sizeof path, "%s/%s", argv[1], name);
        if (name[0] != '.') {
            /* A target that finds something ends the program. */
            if (play(path, variations) != 0)
                printf("not ok %u - %s cannot be read\n", ++files, name);
            else
                printf("ok %u - %s and %lu variations\n", ++files, name, variations);
            fflush(stdout);
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    if (files == 0)
        printf("Bail out! no corpus\n");
    else
        printf("1..%u\n", files);
    return files == 0;
}

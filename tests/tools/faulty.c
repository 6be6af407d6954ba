/* A program with one fault, which its argument chooses: a sanitizer must find each of them. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile int number = INT_MAX;
static volatile size_t beyond = 8;
static char *volatile kept;

static void overflow(void)
{
    number = number + 1;
}

static void shift(void)
{
    number = 1 << (int)(beyond * 8);
}

static void index_of_array(void)
{
    volatile char octets[8] = {0};
    number = octets[beyond];
}

static void unaligned(void)
{
    char octets[16] = {0};
    char *volatile at = octets;
    int *volatile one = (int *)(void *)(at + 1);
    number = *one;
}

static void heap(void)
{
    kept = malloc(beyond);
    kept[beyond] = 'x';
}

static void freed(void)
{
    kept = malloc(beyond);
    free(kept);
    number = kept[0];
}

static void leak(void)
{
    kept = malloc(beyond);
    kept = NULL;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*commit)(void);
    } faults[] = {{"overflow", overflow},
                  {"shift", shift},
                  {"index", index_of_array},
                  {"unaligned", unaligned},
                  {"heap", heap},
                  {"freed", freed},
                  {"leak", leak}};
    for (size_t i = 0; argc > 1 && i < sizeof faults / sizeof faults[0]; i++) {
        if (strcmp(argv[1], faults[i].name) == 0)
            faults[i].commit();
    }
    puts("done");
    return 0;
}

/* Preloaded, it makes nobody wait: a pause is over at once, and its whole seconds are a line of the
 * file POP3_PAUSES. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int nanosleep(const struct timespec *pause, struct timespec *left)
{
    const char *path = getenv("POP3_PAUSES");
    FILE *file = path != NULL ? fopen(path, "a") : NULL;
    (void)left;
    if (file != NULL) {
        (void)fprintf(file, "%lld\n", (long long)pause->tv_sec);
        (void)fclose(file);
    }
    return 0;
}

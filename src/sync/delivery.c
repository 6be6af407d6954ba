/* Opens delivery targets by their description. */
#include "sync/delivery.h"

#include <string.h>
#include <sysexits.h>

typedef struct p3_opener {
    const char *prefix;
    p3_delivery *(*open)(const char *rest, p3_problem *why);
} p3_opener;

static const p3_opener openers[] = {
    {"maildir:", p3_maildir_open},
    {"mbox:", p3_mbox_open},
    {"command:", p3_command_open},
};

p3_delivery *p3_delivery_open(const char *target, p3_problem *why)
{
    for (size_t i = 0; i < sizeof openers / sizeof *openers; i++) {
        size_t len = strlen(openers[i].prefix);
        if (strncmp(target, openers[i].prefix, len) == 0)
            return openers[i].open(target + len, why);
    }
    p3_problem_set(why, EX_CONFIG, "opening %s: unknown kind of delivery", target);
    return NULL;
}

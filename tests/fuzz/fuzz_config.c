/* Fuzzing the configuration: the input is the file. What is accepted holds to what settings.c says
 * of each value, every account is found by its name, and a mistake is told as one. */
#include "settings/config.h"
#include "settings/values.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void must(bool ok)
{
    if (!ok)
        abort();
}

/* Every setting is found by its name, and can be copied and given up. */
static void check_settings(const p3_settings *s)
{
    p3_settings copy = {0};
    for (const p3_setting *w = p3_all_settings; w->name != NULL; w++)
        must(p3_setting_find(w->name, w->place) == w);
    must(p3_settings_inherit(&copy, s));
    for (size_t i = 0; i < P3_ACCOUNT_SETTINGS; i++)
        must(copy.is_set[i] == (s->is_set[i] && i != P3_SETTING_INHERIT));
    must(!s->is_set[P3_SETTING_PORT] || copy.port > 0);
    p3_settings_free(&copy);
}

static void check_config(p3_config *c)
{
    p3_problem why;
    check_settings(&c->defaults);
    for (size_t i = 0; i < c->count; i++) {
        const char *name = c->accounts[i].name;
        must(name != NULL && p3_config_find(c, name, &why) == &c->accounts[i]);
        must(strlen(name) >= 64 || p3_word_distance(name, name) == 0);
        check_settings(&c->accounts[i]);
    }
    must(!c->run.is_set[P3_SETTING_JOBS] || (c->run.jobs >= 1 && c->run.jobs <= 10000));
}

static int mistakes;

static void count_mistake(const char *path, int line, const char *text)
{
    must(path != NULL && line > 0 && text[0] != '\0' && memchr(text, '\n', strlen(text)) == NULL);
    mistakes++;
}

/* A file without a name, whose mode is right for secrets. */
static int make_file(void)
{
    int fd = memfd_create("config", 0);
    must(fd >= 0 && fchmod(fd, 0600) == 0);
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    char path[40];
    p3_config c;
    p3_problem why = {0};
    if (fd < 0)
        fd = make_file();
    must(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    mistakes = 0;
    if (p3_config_read(&c, path, true, count_mistake, &why)) {
        check_config(&c);
        must(mistakes == 0);
    } else {
        must(why.exit != 0 && why.text[0] != '\0');
    }
    p3_config_free(&c);
    return 0;
}

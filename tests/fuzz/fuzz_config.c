/* Fuzzing the configuration: the input is the file. What is accepted holds to what settings.c says
 * of each value, every account is found by its name, and a mistake is told as one. */
#include "cli/config.h"

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

/* Sets every setting again from its own value, which must be taken. */
static void check_settings(const p3_settings *s)
{
    p3_settings copy = {0};
    p3_problem why;
    for (const p3_setting *w = p3_all_settings; w->name != NULL; w++) {
        const char *value = *(char *const *)(const void *)((const char *)s + w->offset);
        must(p3_setting_find(w->name) == w);
        if (value != NULL)
            must(p3_setting_set(&copy, w, value, &why));
    }
    must(p3_settings_inherit(&copy, s));
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
    must(c->sandbox == NULL || p3_value_is_yes(c->sandbox) != p3_value_is_no(c->sandbox));
}

/* A file without a name, whose mode is right for secrets; and a standard error that goes nowhere,
 * where each mistake is told. */
static int make_file(void)
{
    int fd = memfd_create("config", 0);
    must(fd >= 0 && fchmod(fd, 0600) == 0);
    stderr = fopen("/dev/null", "w");
    must(stderr != NULL);
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
    if (p3_config_read(&c, path, true, &why))
        check_config(&c);
    else
        must(why.exit != 0 && why.text[0] != '\0');
    p3_config_free(&c);
    return 0;
}

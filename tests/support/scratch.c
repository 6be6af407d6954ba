/* A folder of a test program's own, and the certificates in it. */
#define _GNU_SOURCE /* nftw() */
#include "support/scratch.h"

#include "support/process.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char folder[200];
static bool have_certificates;

static void give_up(const char *why)
{
    fprintf(stderr, "tests cannot run: %s\n", why);
    scratch_remove();
    exit(99); /* for the test harness: a hard error */
}

const char *scratch_dir(void)
{
    const char *base = getenv("TMPDIR");
    if (folder[0] != '\0')
        return folder;
    snprintf(folder, sizeof folder, "%.150s/pop3-test-XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(folder) == NULL) {
        folder[0] = '\0';
        give_up("no temporary folder");
    }
    return folder;
}

/* The next of a few buffers, so that several paths can be held at a time. */
static char *next_path(void)
{
    static char paths[16][400];
    static size_t next;
    return paths[next++ % 16];
}

const char *scratch_file(const char *name)
{
    char *path = next_path();
    snprintf(path, 400, "%s/%s", scratch_dir(), name);
    return path;
}

static void make_certificates(void)
{
    char where[300];
    const char *program = getenv("POP3_MAKE_CERTS");
    snprintf(where, sizeof where, "%s/certificates", scratch_dir());
    if (program == NULL)
        give_up("POP3_MAKE_CERTS is not set");
    const char *const argv[] = {program, where, NULL};
    process p = PROCESS_NONE;
    bool ok = process_start(&p, argv, "") && process_wait(&p, NULL) && p.status == 0;
    char *errors = process_errors(&p);
    if (!ok)
        give_up(errors);
    free(errors);
    process_forget(&p);
    have_certificates = true;
}

const char *certificate(const char *name)
{
    if (!have_certificates)
        make_certificates();
    char *path = next_path();
    snprintf(path, 400, "%s/certificates/%s", scratch_dir(), name);
    return path;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *walk)
{
    (void)about;
    (void)kind;
    (void)walk;
    return remove(path);
}

void scratch_remove(void)
{
    if (folder[0] != '\0')
        nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    folder[0] = '\0';
    have_certificates = false;
}

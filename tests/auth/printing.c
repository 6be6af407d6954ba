/* examples/print_mailbox as a user runs it, for tests. POP3_PRINT_MAILBOX says where it is. */
#define _POSIX_C_SOURCE 200809L
#include "printing.h"

#include "support/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Runs it; both results are to be freed. Returns the exit status. */
static int run(const char *const *arguments, const char *input, char **output, char **errors)
{
    const char *argv[24] = {getenv("POP3_PRINT_MAILBOX")};
    size_t n = 1;
    assert_non_null(argv[0]);
    while (*arguments != NULL && n < 23)
        argv[n++] = *arguments++;
    process p = PROCESS_NONE;
    *output = NULL;
    assert_true(process_start(&p, argv, input));
    assert_true(process_wait(&p, output));
    *errors = process_errors(&p);
    int status = p.status;
    process_forget(&p);
    return status;
}

void printing_succeeds(const char *const *arguments, const char *input, const char *expected)
{
    char *output, *errors;
    if (run(arguments, input, &output, &errors) != 0)
        fail_msg("print_mailbox: %s", errors);
    assert_string_equal(output, expected);
    free(output);
    free(errors);
}

void printing_fails(const char *const *arguments, const char *input, const char *part)
{
    char *output, *errors;
    assert_int_equal(run(arguments, input, &output, &errors), 1);
    assert_string_equal(output, "");
    if (strstr(errors, part) == NULL)
        fail_msg("print_mailbox said: %s", errors);
    free(output);
    free(errors);
}

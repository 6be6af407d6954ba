/* examples/print_mailbox as a user runs it, for tests. */
#ifndef TESTS_AUTH_PRINTING_H
#define TESTS_AUTH_PRINTING_H

/* Runs it with arguments up to a NULL and a standard input: it must succeed and print `expected`.
 */
void printing_succeeds(const char *const *arguments, const char *input, const char *expected);

/* The same, but it must fail, with `part` in what it says on standard error. */
void printing_fails(const char *const *arguments, const char *input, const char *part);

#endif

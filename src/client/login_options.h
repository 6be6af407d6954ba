/* A login's options: whether they can be used, and a copy of them. */
#ifndef P3_CLIENT_LOGIN_OPTIONS_H
#define P3_CLIENT_LOGIN_OPTIONS_H

#include <pop3/login.h>

/* Takes a program's options, whose version of the struct may be another one, into ours. What is
 * wrong with them, or NULL. */
const char *p3_login_options_take(pop3_login_options *o, const pop3_login_options *from);

/* Copies the options with their strings, but not the secrets. False when out of memory;
 * p3_login_options_free() all the same. */
bool p3_login_options_copy(pop3_login_options *to, const pop3_login_options *from);

void p3_login_options_free(pop3_login_options *o);

#endif

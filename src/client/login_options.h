/* The options of a login: validation and copies. */
#ifndef P3_CLIENT_LOGIN_OPTIONS_H
#define P3_CLIENT_LOGIN_OPTIONS_H

#include <pop3/login.h>

/* Copies a program's options, whose struct may be of another version, into ours. Returns what is
 * wrong with them, or NULL. */
const char *p3_login_options_import(pop3_login_options *o, const pop3_login_options *from);

/* Copies the options with their strings, but not the secrets. False when out of memory; call
 * p3_login_options_free() in any case. */
bool p3_login_options_copy(pop3_login_options *to, const pop3_login_options *from);

void p3_login_options_free(pop3_login_options *o);

#endif

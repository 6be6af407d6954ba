/* The error message of OAUTHBEARER and XOAUTH2: a small JSON object (RFC 7628 §3.2.2). */
#ifndef P3_AUTH_OAUTH_ERROR_H
#define P3_AUTH_OAUTH_ERROR_H

#include <pop3/types.h>

/* Finds a member of the object by name, at the object's own level, and writes its value: the text
 * of a string in UTF-8, or a number or word unchanged, cut to what fits, always terminated. False
 * when there is none, or it is an object, an array or not JSON. */
bool p3_json_member(pop3_str json, const char *name, char *out, size_t size);

/* Writes "status invalid_token, scope mail" from the object, with octets that are not printable
 * escaped; "" when nothing in it is understood. */
void p3_oauth_error(pop3_str json, char *out, size_t size);

#endif

/* How messages get to an IMAP server: an account's settings, besides the address. */
#ifndef P3_DELIVER_IMAP_OPTIONS_H
#define P3_DELIVER_IMAP_OPTIONS_H

#include "deliver/imap_address.h"
#include "deliver/server_options.h"

/* The date of a message in the folder. */
typedef enum p3_imap_date { P3_IMAP_RECEIVED, P3_IMAP_DATE, P3_IMAP_NOW } p3_imap_date;

typedef struct p3_imap_options {
    p3_server_options server;
    const char *flags;  /* such as "\\Seen $Label", or NULL */
    const char *labels; /* names of Gmail's labels, separated by commas, or NULL */
    p3_imap_date date;
} p3_imap_options;

#endif

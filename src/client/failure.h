/* An error as the caller sees it: its class and a message. */
#ifndef P3_CLIENT_FAILURE_H
#define P3_CLIENT_FAILURE_H

#include <pop3/client.h>

/* An error with the memory of its message. */
typedef struct p3_failure {
    pop3_error value; /* except for the pointers to the texts */
    char message[768];
    char server_text[512];
} p3_failure;

/* The parts of an error message. */
typedef struct p3_fault {
    pop3_status status;
    int sys_errno;
    const char *doing; /* what was being done */
    const char *why;   /* or NULL for the message of the status */
    pop3_certificate_fault certificate;
    pop3_tls_fault tls;
    pop3_refusal refused;
    bool temporary;          /* a later attempt may succeed; a refusal's reply says so itself */
    uint32_t login_delay;    /* the one that the server announced */
    const pop3_reply *reply; /* the server's refusal, or NULL */
    pop3_str text;           /* the part of its text that may be shown */
    pop3_str code_text;      /* the part of its code that may be shown */
} p3_fault;

/* Writes an error message. `place` is the server, "host:port". */
void p3_failure_write(p3_failure *f, const char *place, const p3_fault *fault);

/* Writes "RETR 5" or "STAT". */
void p3_describe_command(pop3_command_kind kind, uint32_t number, char *out, size_t size);

#endif

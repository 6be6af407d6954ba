/* Names and sentences for the enumerations of the public headers. */
#include <pop3/types.h>

#define P3_TEXT(n)        #n
#define P3_NUMBER_TEXT(n) P3_TEXT(n)

const char *pop3_version(void)
{
    return P3_NUMBER_TEXT(POP3_VERSION_MAJOR) "." P3_NUMBER_TEXT(
        POP3_VERSION_MINOR) "." P3_NUMBER_TEXT(POP3_VERSION_PATCH);
}

/* One row for each status: its stable name and its message. */
static const struct {
    const char *name;
    const char *message;
} statuses[] = {
    [POP3_OK] = {"ok", "success"},
    [POP3_PENDING] = {"pending", "not over yet"},
    [POP3_ERR_ARGUMENT] = {"bad-argument", "an argument cannot be used"},
    [POP3_ERR_MEMORY] = {"out-of-memory", "out of memory"},
    [POP3_ERR_RESOLVE] = {"resolve", "the host name could not be resolved"},
    [POP3_ERR_CONNECT] = {"connect", "could not connect"},
    [POP3_ERR_IO] = {"io", "reading from or writing to the server failed"},
    [POP3_ERR_TIMEOUT] = {"timeout", "the server did not answer in time"},
    [POP3_ERR_CANCELLED] = {"cancelled", "cancelled"},
    [POP3_ERR_CLOSED] = {"closed", "the server closed the connection"},
    [POP3_ERR_TLS] = {"tls", "TLS failed"},
    [POP3_ERR_CERTIFICATE] = {"certificate", "the server's certificate is not acceptable"},
    [POP3_ERR_PROTOCOL] = {"protocol", "the server violated the protocol"},
    [POP3_ERR_LIMIT] = {"limit", "the server sent more than the limit allows"},
    [POP3_ERR_REFUSED] = {"refused", "the server refused"},
    [POP3_ERR_NOT_OFFERED] = {"not-offered", "the server does not offer it"},
    [POP3_ERR_STATE] = {"wrong-state", "not possible in the current state"},
    [POP3_ERR_INSECURE] = {"insecure",
                           "it would send the password unencrypted, which was not allowed"},
    [POP3_ERR_AUTHENTICATION] = {"authentication", "authentication failed"},
};

const char *pop3_status_name(pop3_status status)
{
    size_t i = (size_t)status;
    return i < sizeof statuses / sizeof statuses[0] ? statuses[i].name : "unknown";
}

const char *pop3_status_message(pop3_status status)
{
    size_t i = (size_t)status;
    return i < sizeof statuses / sizeof statuses[0] ? statuses[i].message : "unknown status";
}

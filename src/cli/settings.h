/* The settings of an account: what the configuration file and the command line both can say. */
#ifndef P3_CLI_SETTINGS_H
#define P3_CLI_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sync/problem.h"

/* Strings are allocated, or NULL when not set. */
typedef struct p3_settings {
    char *name; /* the account's name: its section, or USER@HOST */
    char *url;
    char *host;
    char *port;
    char *user;
    char *auth;
    char *channel_binding;
    char *initial_response;
    char *utf8; /* "auto" or "off" */
    char *tls;  /* "tls", "stls" or "none" */
    char *ca_file;
    char *ca_dir;
    char *certificate;
    char *key;
    char *server_name;
    char *tls_min;
    char *pin;
    char *crl_file;
    char *proxy; /* "socks5://HOST:PORT" and the like */
    char *proxy_user;
    char *proxy_password;
    char *socket;
    char *local_address;
    char *pipelining; /* "auto", "on" or "off" */
    char *traits;
    char *timeout;
    char *connect_timeout;
    char *session_timeout;
    char *allow_plaintext;
    char *password;
    char *password_command;
    char *token_command;
    char *password_file;
    char *netrc;
    char *keyring;
    char *maildir;
    char *mbox;
    char *command;
    char *line_ends;
    char *delivered_to;
    char *received;
    char *remove; /* "never", "delivered" or a time */
    char *max_size;
    char *kill_size;
    char *message_limit;
    char *filter;
    char *limit;
} p3_settings;

/* How a value is written. */
typedef enum p3_value_kind {
    P3_VALUE_TEXT,
    P3_VALUE_PATH, /* a leading ~/ is the home folder */
    P3_VALUE_YES_NO,
    P3_VALUE_NUMBER,
    P3_VALUE_SIZE,
    P3_VALUE_TIME,
    P3_VALUE_CHOICE
} p3_value_kind;

typedef struct p3_setting {
    const char *name;
    p3_value_kind kind;
    const char *choices; /* P3_VALUE_CHOICE: the words, separated by blanks */
    bool is_secret;      /* its value is never shown */
    char group;          /* settings of one group stand for each other; '\0': none */
    uint16_t offset;     /* in p3_settings */
} p3_setting;

/* All of them, ended by one without a name. */
extern const p3_setting p3_all_settings[];

/* Finds a setting by name, or NULL. */
const p3_setting *p3_setting_find(const char *name);

/* How many letters must be changed, added or taken away to make one word of another (Levenshtein);
 * SIZE_MAX for long words. */
size_t p3_word_distance(const char *a, const char *b);

/* The name of the setting that is nearest to a mistaken one; NULL when none is near. */
const char *p3_setting_nearest(const char *name);

/* Sets a value after checking it. Returns false and says what values there are. */
bool p3_setting_set(p3_settings *s, const p3_setting *which, const char *value, p3_problem *why);

/* Sets what is not set yet from another account's settings. Of settings that stand for each other,
 * such as maildir and mbox, none is taken over when there is one already. False when out of memory.
 */
bool p3_settings_inherit(p3_settings *s, const p3_settings *from);

void p3_settings_free(p3_settings *s);

/* Values: yes and no, of which a text may be neither; sizes may end in K, M or G (of 1024), times
 * in ms, s, m, h, d or w. */
bool p3_value_is_yes(const char *text);
bool p3_value_is_no(const char *text);
bool p3_value_size(const char *text, uint64_t *out);
bool p3_value_time_ms(const char *text, int64_t *out);
bool p3_value_number(const char *text, uint64_t most, uint64_t *out);

#endif

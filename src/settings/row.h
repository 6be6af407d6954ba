/* A row of the table of settings. */
#ifndef P3_SETTINGS_ROW_H
#define P3_SETTINGS_ROW_H

#include <stdbool.h>
#include <stdint.h>

/* The type of a setting, and of its field. */
typedef enum p3_setting_type {
    P3_TYPE_TEXT,   /* char *: a single line */
    P3_TYPE_PATH,   /* char *: a leading ~/ or $CREDENTIALS_DIRECTORY/ has been replaced */
    P3_TYPE_YES_NO, /* bool */
    P3_TYPE_SWITCH, /* bool: an option without a value */
    P3_TYPE_NUMBER, /* uint64_t */
    P3_TYPE_SIZE,   /* uint64_t: octets */
    P3_TYPE_TIME,   /* int64_t: milliseconds */
    P3_TYPE_CHOICE, /* int: one of the row's values */
    P3_TYPE_PORT,   /* uint16_t */
    P3_TYPE_URL,
    P3_TYPE_PROXY,
    P3_TYPE_TRAITS,
    P3_TYPE_REMOVAL,
    P3_TYPE_TARGET, /* p3_target: the kind is the one of the setting's name */
    P3_TYPE_DELIVER,
    P3_TYPE_FALLBACK, /* p3_target: maildir:DIR */
    P3_TYPE_ADDRESS,  /* char *: a mail address */
    P3_TYPE_SENDER,   /* char *: the same; NULL for keep, "" for empty */
    P3_TYPE_FLAGS,    /* char *: flags of IMAP, separated by blanks */
    P3_TYPE_TABLE,    /* char *: "THIS -> THAT, ...", or the path of a file of such lines */
    P3_TYPE_ASCII     /* char *: printable ASCII */
} p3_setting_type;

/* The scope of a setting. */
typedef enum p3_setting_scope {
    P3_SCOPE_ACCOUNT, /* an account: a field of p3_settings */
    P3_SCOPE_RUN,     /* the whole run: a field of p3_run_settings */
    P3_SCOPE_ALIAS    /* an option that sets another one */
} p3_setting_scope;

/* Where it may be set. */
typedef enum p3_setting_place {
    P3_PLACE_FILE = 1,
    P3_PLACE_COMMAND = 2,
    P3_PLACE_BOTH = P3_PLACE_FILE | P3_PLACE_COMMAND
} p3_setting_place;

/* A row of the table. */
typedef struct p3_setting {
    const char *name;
    char letter; /* the short option, or NUL */
    p3_setting_scope scope;
    p3_setting_place place;
    p3_setting_type type;
    uint8_t group;       /* settings of one group replace each other; 0: none */
    bool is_own;         /* it is not inherited */
    bool is_secret;      /* its value is never shown */
    uint16_t id;         /* index of its flag in `is_set` */
    uint16_t offset;     /* of its field */
    const char *choices; /* words separated by blanks, or NULL */
    const int *values;   /* P3_TYPE_CHOICE: the values of the words */
    uint64_t least;
    uint64_t most;        /* 0: no limit */
    int64_t preset;       /* the default value: yes-no, choice, number, size, time */
    const char *alias;    /* P3_SCOPE_ALIAS: the setting that is set, */
    const char *value;    /* and the value; NULL: that of the option */
    const char *topic;    /* its topic in the help */
    const char *argument; /* its argument in the help; NULL: none */
    const char *help;     /* one line */
} p3_setting;

#endif

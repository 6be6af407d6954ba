/* The table of delivery targets, as libpop3-collect has it. */
#include "deliver/target_rows.h"

#include "deliver/maildir.h"
#include "public/callbacks.h"

const p3_target_row p3_target_rows[] = {
    {.kind = P3_TARGET_MAILDIR,
     .name = "maildir",
     .form = P3_TARGET_PATH,
     .open = p3_maildir_open,
     .tidy = p3_maildir_tidy,
     .has = p3_maildir_has,
     .directories = p3_maildir_directories,
     .is_exact = true},
    {.kind = P3_TARGET_CALLBACKS,
     .name = "callbacks",
     .form = P3_TARGET_TEXT,
     .open = p3_callbacks_open,
     .is_exact = true, /* where there is a find() */
     .keeps_names = true},
};

const size_t p3_target_row_count = sizeof p3_target_rows / sizeof *p3_target_rows;

/* libpop3-collect's table of delivery targets. */
#include "deliver/target_rows.h"

#include "public/callbacks.h"

const p3_target_row p3_target_rows[] = {
    P3_MAILDIR_ROW(),
    {.kind = P3_TARGET_CALLBACKS,
     .name = "callbacks",
     .form = P3_TARGET_TEXT,
     .open = p3_callbacks_open,
     .is_exact = true, /* where there is a find() */
     .keeps_names = true},
};

const size_t p3_target_row_count = sizeof p3_target_rows / sizeof *p3_target_rows;

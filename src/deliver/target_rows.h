/* The table of delivery targets of a program: all of them in the command (target_rows.c), and those
 * of libpop3-collect there (src/public/target_rows.c). */
#ifndef P3_DELIVER_TARGET_ROWS_H
#define P3_DELIVER_TARGET_ROWS_H

#include "deliver/maildir.h"
#include "deliver/target_row.h"

/* clang-format off */
/* The row that both have. Versions of clang-format disagree about it. */
#define P3_MAILDIR_ROW(...)                                                                        \
    {.kind = P3_TARGET_MAILDIR,                                                                    \
     .name = "maildir",                                                                            \
     .title = "Maildir",                                                                           \
     .form = P3_TARGET_PATH,                                                                       \
     .open = p3_maildir_open,                                                                      \
     .tidy = p3_maildir_tidy,                                                                      \
     .has = p3_maildir_has,                                                                        \
     .directories = p3_maildir_directories,                                                        \
     .is_exact = true, __VA_ARGS__}
/* clang-format on */

extern const p3_target_row p3_target_rows[];
extern const size_t p3_target_row_count;

#endif

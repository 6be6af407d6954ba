/* The table of delivery targets that a program has: all of them in the command (target_rows.c), and
 * those of libpop3-collect there (src/public/target_rows.c). */
#ifndef P3_DELIVER_TARGET_ROWS_H
#define P3_DELIVER_TARGET_ROWS_H

#include "deliver/target_row.h"

extern const p3_target_row p3_target_rows[];
extern const size_t p3_target_row_count;

#endif

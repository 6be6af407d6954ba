/* POSIX has none of these. */
#include "system/process.h"

bool p3_process_hide(void)
{
    return false;
}

bool p3_process_end_with_parent(void)
{
    return false;
}

bool p3_process_gain_no_rights(void)
{
    return false;
}

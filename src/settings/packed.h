/* Settings of an account as they are kept while it waits: only those that are set. There may be
 * tens of thousands of accounts, and each sets a few of the settings. */
#ifndef P3_SETTINGS_PACKED_H
#define P3_SETTINGS_PACKED_H

#include "settings/settings.h"

typedef struct p3_packed_settings p3_packed_settings;

/* Packs settings. What they hold is the pack's from then on, at the same addresses, and *s is
 * empty. NULL when out of memory: *s is as it was. Free with p3_packed_settings_free(). */
p3_packed_settings *p3_settings_pack(p3_settings *s);

/* Fills in what was packed, and presets for the rest. What the fields point to is the pack's, which
 * may be NULL: nothing is set. */
void p3_packed_settings_view(const p3_packed_settings *p, p3_settings *out);

/* Frees the pack alone: what it points to is somebody else's. NULL does nothing. */
void p3_packed_settings_drop(p3_packed_settings *p);

/* Wipes and frees. NULL does nothing. */
void p3_packed_settings_free(p3_packed_settings *p);

#endif

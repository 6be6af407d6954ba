/* Settings of an account in compact form, while the account waits: only those that are set. There
 * may be tens of thousands of accounts, and each sets only a few. */
#ifndef P3_SETTINGS_PACKED_H
#define P3_SETTINGS_PACKED_H

#include "settings/settings.h"

typedef struct p3_packed_settings p3_packed_settings;

/* Packs settings. The pack takes over what they point to, at the same addresses, and *s becomes
 * empty. NULL when out of memory: *s is unchanged. Free with p3_packed_settings_free(). */
p3_packed_settings *p3_settings_pack(p3_settings *s);

/* Fills in the packed settings, and the default values of the others. The pack, which may be NULL
 * (nothing is set), still owns what the fields point to. */
void p3_packed_settings_view(const p3_packed_settings *p, p3_settings *out);

/* Frees the pack, but not what it points to. NULL does nothing. */
void p3_packed_settings_release(p3_packed_settings *p);

/* Wipes and frees. NULL does nothing. */
void p3_packed_settings_free(p3_packed_settings *p);

#endif

/* Removes what a power cut left in a Maildir's tmp/. What cannot be removed stays until the next
 * run. */
#ifndef P3_SYNC_MAILDIR_TIDY_H
#define P3_SYNC_MAILDIR_TIDY_H

/* Files of this host's runs that were last written before it was booted. */
void p3_maildir_tidy_folder(int tmp);

/* The same, given the Maildir, if there is one. For p3_delivery_tidy(). */
void p3_maildir_tidy(const char *path, const char *owner);

#endif

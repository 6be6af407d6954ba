/* The places of a target's folders. */
#ifndef P3_DELIVER_FOLDER_NAMES_H
#define P3_DELIVER_FOLDER_NAMES_H

/* The path or URL of a target's folder; free() it. NULL: a folder cannot have that name. */
char *p3_maildir_folder(const char *where, const char *name);
char *p3_imap_folder_url(const char *where, const char *name);

#endif

/* Where folders of targets are that have any. */
#ifndef P3_DELIVER_FOLDER_NAMES_H
#define P3_DELIVER_FOLDER_NAMES_H

/* The path, or URL, of the folder of a name of a target; free() it. NULL: there can be no folder of
 * that name. */
char *p3_maildir_folder(const char *where, const char *name);
char *p3_imap_folder_url(const char *where, const char *name);

#endif

/* Moving files. */
#ifndef P3_SYSTEM_MOVE_H
#define P3_SYSTEM_MOVE_H

/* Moves a file to another directory of the same file system, under the same name, and never over an
 * existing one (EEXIST). If the system cannot do that atomically, the file has both names for a
 * moment, and keeps them if the process ends then. Returns 0, or -1 with errno. */
int p3_move_new(int from, int to, const char *name);

#endif

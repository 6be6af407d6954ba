/* Moving files. */
#ifndef P3_SYSTEM_MOVE_H
#define P3_SYSTEM_MOVE_H

/* Moves a file from one directory to another of the same file system, under the same name, and
 * never over one that is there (EEXIST). Where the system cannot do that in one step, the file has
 * both names for a moment, and keeps them when the process ends then. Returns 0, or -1 with errno.
 */
int p3_move_new(int from, int to, const char *name);

#endif

/* Reading and writing files, and seeing large ones off to the disk. */
#ifndef P3_SUPPORT_FILE_H
#define P3_SUPPORT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Files of so many octets are large. */
#define P3_LARGE ((uint64_t)256 * 1024)

/* Writes all octets, and goes on after signals. Returns false with errno. */
bool p3_write_all(int fd, const char *data, size_t len);

/* Fills a buffer from a file, from an offset on. Returns false, with errno, when that cannot be
 * read or the file ends before. */
bool p3_read_at(int fd, char *out, size_t size, uint64_t offset);

/* Syncs the entry that a file has in its directory, which is opened by `opener`, or by open(2) when
 * that is NULL. Returns false with errno. */
bool p3_sync_entry(const char *path, int (*opener)(const char *path, int flags, mode_t mode));

/* A file has grown to `octets`, of which `sent` are on their way to the disk: the others follow,
 * and those far behind, which should be there, may leave the system's memory. No promise: what
 * fails here, the sync will find. */
void p3_file_send(int fd, uint64_t sent, uint64_t octets);

/* The same once it is worth a word to the disk. Returns how many are on their way now. */
uint64_t p3_file_grew(int fd, uint64_t sent, uint64_t octets);

/* A large file is on the disk, and may leave the system's memory: new memory for each message would
 * cost more than all else that is done with it, and others' files would have to make room. */
void p3_file_let_go(int fd);

#endif

/* Reads and writes files, and controls the page cache of large ones. */
#ifndef P3_SUPPORT_FILE_H
#define P3_SUPPORT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Files of at least this size are large. */
#define P3_LARGE ((uint64_t)256 * 1024)

/* Writes all octets, also after signals. Returns false with errno. */
bool p3_write_all(int fd, const char *data, size_t len);

/* Fills a buffer from an offset of a file. Returns false, with errno, when that cannot be read or
 * the file is too short. */
bool p3_read_at(int fd, char *out, size_t size, uint64_t offset);

/* Syncs the directory entry of a file; the directory is opened by `opener`, or by open(2) when that
 * is NULL. Returns false with errno. */
bool p3_sync_entry(const char *path, int (*opener)(const char *path, int flags, mode_t mode));

/* A file has grown to `octets`, of which `sent` are being written to the disk: writes the others,
 * and drops those far behind, which should be there, from the page cache. Failures are ignored; the
 * sync finds them. */
void p3_file_send(int fd, uint64_t sent, uint64_t octets);

/* The same, when enough octets have been added. Returns how many are being written now. */
uint64_t p3_file_grew(int fd, uint64_t sent, uint64_t octets);

/* A large file is on the disk: drops it from the page cache, because new memory for each message
 * would cost more than everything else, and would displace other files. */
void p3_file_let_go(int fd);

#endif

/* A folder of a test program's own, gone when the program ends, and the certificates in it. */
#ifndef TESTS_SUPPORT_SCRATCH_H
#define TESTS_SUPPORT_SCRATCH_H

/* The folder, made on first use. */
const char *scratch_dir(void);

/* The path of a file in it. One of a few buffers that are used in turn. */
const char *scratch_file(const char *name);

/* The path of a file that make-certs.sh makes, such as "good.pem". They are made on first use. */
const char *certificate(const char *name);

/* Removes the folder and all in it. */
void scratch_remove(void);

#endif

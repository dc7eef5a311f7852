/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All of it, or an error: read(2) and write(2) may do less than was asked.
 *
 * Life:    none.
 * Failure: -1 and errno.
 * Threads: any.
 */
#ifndef CORE_FDIO_H
#define CORE_FDIO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* n bytes, fewer only at the end of the file. */
ssize_t fdio_read(int fd, void *buf, size_t n);

/* 0: all n bytes were taken. */
int fdio_write(int fd, const void *bytes, size_t n);

/* Whether a file that is open for reading is empty or ends with a whole line: what is to be
 * appended behind a line that a crash cut short needs an end of it first. */
bool fdio_ends_line(int fd);

#endif

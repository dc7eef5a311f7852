/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A small file, whole. The caller says how much it may be, so that nobody's
 * file asks for our memory; a FIFO or a terminal does not hold us.
 *
 * Failure: -1 or NULL, and errno: EFBIG when there is more than that, EINVAL
 *          when it is not a regular file.
 * Threads: any.
 */
#ifndef CORE_SLURP_H
#define CORE_SLURP_H

#include <fcntl.h> /* AT_FDCWD, O_NOFOLLOW */
#include <stddef.h>
#include <sys/types.h>

/* From where fd stands to its end, with a NUL behind; free() it. *size is
 * without the NUL. */
char *slurp_fd(int fd, size_t most, size_t *size);

/* The regular file at path below dirfd (or AT_FDCWD). flags: 0, or O_NOFOLLOW
 * where a link is refused (ELOOP). */
char *slurp(int dirfd, const char *path, int flags, size_t most, size_t *size);

/* Into text, at most size - 1 bytes and a NUL; returns how many. On EFBIG the
 * first size - 1 bytes are there, else "". For files of /proc and /sys, which
 * the kernel may give in pieces. */
ssize_t slurp_text(const char *path, char *text, size_t size);

#endif

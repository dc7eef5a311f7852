/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A file that is there whole or not at all: written under a temporary name in
 * the folder where it will be, put on the device, given its own name.
 *
 *     struct atomic a;
 *     if (atomic_open(&a, AT_FDCWD, path, NULL, 0644, 0) < 0) ...
 *     fdio_write(a.fd, ...)  or  fprintf(atomic_stream(&a), ...)
 *     if (atomic_publish(&a, NULL) < 0) ...
 *     atomic_discard(&a);                     after success: nothing
 *
 * The mode is set, whatever the umask: a file for others can be read by them.
 * ATOMIC_UMASK is for what a user makes for himself.
 *
 * Life:    atomic_discard() ends what atomic_open() began, published or not.
 * Failure: -1 and errno; nothing stands under the file's name that did not
 *          before. A writer that is killed leaves the temporary file.
 * Threads: any, each struct for one.
 */
#ifndef CORE_ATOMIC_H
#define CORE_ATOMIC_H

#include <fcntl.h> /* AT_FDCWD */
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

enum {
    ATOMIC_UMASK = 1,    /* the mode is less the umask */
    ATOMIC_NEW = 2,      /* refuses to replace: EEXIST */
    ATOMIC_VOLATILE = 4, /* need not outlive a power cut: nothing is synced */
    ATOMIC_LATER = 8     /* the folder is synced by the caller, once for several */
};

struct atomic {
    int fd; /* the temporary file, for writing; -1 when closed */
    /* its own: */
    int dirfd;
    bool own_dirfd;
    mode_t mode;
    unsigned flags;
    FILE *stream;
    char name[NAME_MAX + 1], temporary[NAME_MAX + 1];
};

/* Makes the temporary file of `path` (which may have folders in it, below
 * dirfd or AT_FDCWD; dirfd is borrowed until the discard). temporary NULL: a
 * name that no other writer has, .NAME.xxxxxxxx.tmp; given, it is the only
 * one, and what a killed writer left under it goes. */
int atomic_open(struct atomic *a, int dirfd, const char *path, const char *temporary, mode_t mode,
                unsigned flags);

/* Its stream, made when first asked for and closed with it; NULL and errno. */
FILE *atomic_stream(struct atomic *a);

/* On the device and closed, still under the temporary name: for who names
 * many at once. */
int atomic_settle(struct atomic *a);

/* Settled, then under its name; another name in the same folder when `name`
 * is not NULL (after EEXIST it may be called again with one). */
int atomic_publish(struct atomic *a, const char *name);

/* Closes; what was not published goes. Keeps errno. */
void atomic_discard(struct atomic *a);

/* All of it for n bytes. */
int atomic_write(int dirfd, const char *path, mode_t mode, unsigned flags, const void *bytes,
                 size_t n);

/* renameat() that refuses to replace (EEXIST); by a hard link where the file
 * system does not know such a rename (NFS). */
int atomic_rename_new(int from_dirfd, const char *from, int to_dirfd, const char *to);

/* A folder's names on the device. File systems that cannot do that are
 * taken as having done it. */
int atomic_sync_folder(int dirfd);

/* Whether `entry` is a temporary file (with temporary NULL) of a file whose
 * name begins with `stem` and a dot. */
bool atomic_is_temporary(const char *entry, const char *stem);

#endif

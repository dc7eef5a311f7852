/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A folder of a rank's own for the files of a storage benchmark, and what of them lies
 * in this node's memory.
 *
 * Cold means: when the clock starts none of the file's pages is in this node's page
 * cache. files_drop() writes them back (fdatasync) and gives them up
 * (posix_fadvise DONTNEED, needs no root); files_count() asks mincore(2), which tells
 * it of files that the caller owns (Linux 5.2 and later tell nothing of others'). What
 * a file server, a hypervisor or a disk keeps in its own memory nobody can see from
 * here: that is part of the storage.
 *
 * Life:    files_open() makes the folder, files_close() removes it and all in it, and
 *          what had to be made above it; of a zeroed struct it removes nothing. A
 *          process that is killed leaves it: hpcai500-micro.XXXXXX can be removed.
 * Failure: -1 and a sentence.
 * Threads: one.
 */
#ifndef MICRO_FILES_H
#define MICRO_FILES_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reports/core/err.h"
#include "workloads/comm.h"

enum { FILES_NAME = 64 };

struct files {
    char folder[PATH_MAX - FILES_NAME]; /* "": not open */
    char where[PATH_MAX];               /* what it is in */
    size_t stood;                       /* length of the part of where that was there before */
};

/* A new folder in `where`, which is made where it is missing. `bytes` are going to be
 * written by each of `ranks` ranks of this node: refused when they would leave less
 * than a tenth of the file system's free space. Close it also when it failed. */
int files_open(struct files *f, const char *where, uint64_t bytes, int ranks, struct err *e);
/* Collective. Folders that a rank had to make go when all ranks have removed their own
 * from them, and only if nothing else is in them. */
void files_close(struct files *f, struct comm *c);

/* A path in it: folder/name, "" in place of the name: the folder. */
const char *files_path(const struct files *f, const char *name, char path[PATH_MAX]);

/* On storage, and out of this node's page cache as far as the system does that. */
int files_drop(const char *path, struct err *e);

/* Pages of files, and how many of them are in this node's memory. */
struct files_pages {
    uint64_t all, resident;
    int unknown; /* files of which mincore() tells nothing */
};

/* Adds those of one file. */
void files_count(const char *path, struct files_pages *p);
/* resident / all; NAN when it is not known of every file. */
double files_part(const struct files_pages *p);

/* More than this in memory after files_drop(): it does nothing there; what is said. */
#define FILES_UNDROPPED 0.5
#define FILES_STAY                                                                                 \
    "files stay in memory: posix_fadvise() drops nothing of this file system (one in memory?)"

/* Bytes of a node's files together in a class, shared by its ranks: 32 MiB (tiny),
 * 128 MiB, 1 GiB; of a rank at most an eighth of the memory that it may use, and a
 * multiple of `unit`, at least four. */
uint64_t files_bytes(int class, int ranks, uint64_t memory_bytes, uint64_t unit);

#endif

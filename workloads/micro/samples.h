/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the read benchmark reads: n samples of 256 KiB (512 x 256 whole numbers of 16
 * bits, drawn from the seed, so that no file system makes them smaller), twice:
 *
 *     FOLDER/many/train/NNNN.h5   up to 64 samples a file: 16 MiB
 *     FOLDER/one/train/NNNNN.h5   one sample a file
 *
 * as HDF5 files with one contiguous dataset, so that the very same bytes can be read
 * with and without HDF5. A pass reads every sample once, in one of six ways; three
 * numbers of each are compared as it goes. samples_check() compares all of them.
 *
 * What a reader holds open all the time, the files of many samples, the list of the
 * others, is opened before the passes of a way, so that a pass reads and does nothing
 * else. A file of one sample is opened in the pass: that is what the way is about.
 *
 * Life:    make { open pass ... shut } ... close; close of a zeroed struct is a no-op.
 *          The folder's owner removes the files (files.h).
 * Failure: -1 and a sentence. A wrong number is counted, no failure.
 * Threads: one.
 */
#ifndef MICRO_SAMPLES_H
#define MICRO_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "reports/core/err.h"
#include "workloads/micro/files.h"

enum { SAMPLE_VALUES = 1 << 17, SAMPLE_BYTES = SAMPLE_VALUES * 2, SAMPLES_FILE = 64 };

/* How a pass reads. Raw: pread(2), with a hint to the system (posix_fadvise, as fio gives
 * it): in order, or at random. HDF5: the reader that training uses. */
enum samples_way {
    SAMPLES_RAW_SEQUENTIAL, /* the files of many from end to end, 1 MiB at a time */
    SAMPLES_RAW_SHUFFLED,   /* of many, sample by sample in another order each time */
    SAMPLES_RAW_FILES,      /* open, read, close of each file of one, likewise */
    SAMPLES_HDF5_SEQUENTIAL,
    SAMPLES_HDF5_SHUFFLED,
    SAMPLES_HDF5_FILES,
    SAMPLES_WAYS
};

struct dataset;

struct samples {
    const struct files *files;
    uint64_t seed;
    int n, n_many;   /* samples; files of many */
    off_t many, one; /* where the first value lies in a file */
    int *order;      /* room for n */
    uint32_t pass;
    int16_t *room; /* a sample, or 1 MiB */
    enum samples_way way;
    int *fds;            /* of the files of many, n_many; NULL: none is open */
    struct dataset *set; /* HDF5: the reader; NULL: not open */
};

/* "raw shuffled" */
const char *samples_name(enum samples_way way);
/* Whether it reads the files of one sample each. */
bool samples_of_one(enum samples_way way);

/* Writes both sets: twice n * SAMPLE_BYTES and headers. */
int samples_make(struct samples *s, const struct files *files, int n, uint64_t seed, struct err *e);
void samples_close(struct samples *s);

/* Out of the page cache; how much of it is there. */
int samples_drop(const struct samples *s, bool one, struct err *e);
double samples_resident(const struct samples *s, bool one);

/* Opens what passes of that way hold open, and closes it; shut of what is not open is a
 * no-op. */
int samples_open(struct samples *s, enum samples_way way, struct err *e);
void samples_shut(struct samples *s);

/* Every sample once, in the way that is open. */
int samples_pass(struct samples *s, long *wrong, struct err *e);
/* The same, every number compared. */
int samples_check(struct samples *s, long *wrong, struct err *e);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How an open dataset is stored, for a person: `hpcai500 data check`.
 *
 * Life:    no state.
 * Failure: none; what HDF5 does not say is 0 or empty.
 * Threads: any.
 */
#ifndef DATA_H5INFO_H
#define DATA_H5INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "workloads/data/h5file.h"

struct h5_info {
    uint64_t bytes;   /* that its values take in the file */
    char filters[96]; /* "shuffle, deflate 4"; "" for none */
    bool deflated;
};

void h5_info(const struct h5_set *s, struct h5_info *info);

#endif

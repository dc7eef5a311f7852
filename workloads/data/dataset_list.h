/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which files one split of a data folder has: by its manifest, else by what
 * lies there (dataset.h has the names). Inner part of dataset.c.
 *
 * Life:    list/fini; a zeroed list is empty.
 * Failure: -1 and a sentence.
 * Threads: pure functions on the caller's storage.
 */
#ifndef DATA_DATASET_LIST_H
#define DATA_DATASET_LIST_H

#include "reports/core/err.h"
#include "workloads/data/dataset.h"

struct dataset_file {
    char *name;     /* below the folder */
    uint64_t bytes; /* as the manifest says; 0: foreign */
};

struct dataset_list {
    struct dataset_file *files; /* by name */
    uint64_t n;
};

/* Fills the list, and of info what the manifest says: generated, its hash, the
 * baselines, stored_bytes (of a file, on average). */
int dataset_list(struct dataset_list *l, struct dataset_info *info, const char *folder,
                 enum dataset_split split, const struct science *s, struct err *e);
/* One file. */
int dataset_list_file(struct dataset_list *l, struct dataset_info *info, const char *name,
                      struct err *e);
void dataset_list_fini(struct dataset_list *l);

#endif

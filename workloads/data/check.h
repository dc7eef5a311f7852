/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a file or a folder holds, for `hpcai500 data check`: which science and
 * layout, what is in each field, which workloads can train on it, what is wrong
 * with it, and whether reading it will be slow and why.
 *
 * A folder is a set with a training and a validation part (dataset.h has the
 * names); a file is one part. Every file is opened and, unless told otherwise,
 * every value looked at, dataset by dataset, each chunk once.
 *
 * Life:    plain data, some 200 KB; science and layout are the tables' own.
 * Failure: what is wrong with the data is in the struct; -1 when there is
 *          nothing to look at.
 * Threads: one.
 */
#ifndef DATA_CHECK_H
#define DATA_CHECK_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "reports/core/err.h"
#include "workloads/data/h5file.h"
#include "workloads/data/sample.h"
#include "workloads/data/science.h"

enum { CHECK_LEVELS = 64, CHECK_PARTS = 2, CHECK_SLOW = 8, CHECK_TRIED = 32, CHECK_CLASSES = 8 };

/* A field in one part of a set. How it is stored is that of the first file's
 * first dataset. */
struct check_field {
    const struct field *field;
    int sets; /* datasets that it is spread over; 0: not stored, the fallback is taken */
    const char *set[SCIENCE_PARTS];
    char type[16]; /* "uint16" */
    int rank;      /* of a dataset */
    uint64_t dims[H5_AXES], chunk[H5_AXES];
    bool chunked;
    char filters[96];                   /* "shuffle, deflate 4" */
    uint64_t stored_bytes, plain_bytes; /* of all files: as they lie, and without filters */
    /* Values; those that are not finite are in none of least, greatest, sum. */
    uint64_t values, not_finite, out_of_range, fractions; /* fractions: of a whole number */
    double least, greatest, sum;
    char first_bad[PATH_MAX + 512]; /* where, and what; "" */
    /* Fields of whole numbers from field->least on: how many of each. */
    int levels; /* 0: not such a field */
    uint64_t count[CHECK_LEVELS];
};

struct check_part {
    const char *split; /* "train", "validation"; NULL: a file alone */
    uint64_t files, samples, bytes;
    struct check_field field[SCIENCE_FIELDS];
};

/* A layout that does not fit, and what it lacks. */
struct check_tried {
    const char *science, *layout;
    char lacks[512];
};

struct check {
    char path[PATH_MAX];
    bool folder;
    char title[128];               /* "generated, class tiny, seed 1", or "" */
    const struct science *science; /* NULL: fits none */
    const struct layout *layout;
    int n_parts;
    struct check_part part[CHECK_PARTS];
    int n_classes; /* whose sizes fit: samples of part 0 in each */
    struct {
        const struct data_class *class;
        uint64_t samples;
    } class[CHECK_CLASSES];
    int n_slow;
    char slow[CHECK_SLOW][400];
    uint64_t problems; /* that are no value's: files that do not fit the others, parts missing */
    char problem[512]; /* the first */
    int n_tried;
    struct check_tried tried[CHECK_TRIED];
};

/* Looks at a path. values: at what is in the datasets too. */
int check_path(struct check *c, const char *path, bool values, struct err *e);

/* Whether all is as it should be. */
bool check_good(const struct check *c);

/* The first field that a network is to say and that the files lack, NULL: they have all;
 * such a set is for no workload. */
const struct field *check_lacks(const struct check *c);

/* For a person; as one JSON object, -1 where this was built without cJSON. */
void check_print(const struct check *c, FILE *f);
int check_print_json(const struct check *c, FILE *f, struct err *e);

/* Inner parts: what is in field k of an open file, added to *to ... */
int check_values(const struct sample_file *f, const struct sample_form *form, int k,
                 struct check_field *to, struct err *e);

/* ... and how field k of the first file will be read, as sentences in c->slow. */
void check_speed(struct check *c, const struct sample_file *f, const struct sample_form *form);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A field's values as planes to be drawn. Inner part of view.c and view_answer.c.
 *
 * Life:    array_fini() frees the values.
 * Failure: -1 and a sentence.
 * Threads: pure functions.
 */
#ifndef VIEW_ARRAY_H
#define VIEW_ARRAY_H

#include "reports/draw/panels.h"
#include "workloads/data/dataset.h"

struct array {
    const struct field *field;
    int rank; /* axes; */
    char axes[SCIENCE_AXES + 1];
    long dims[SCIENCE_AXES];
    uint64_t n;
    float *values; /* [n], row major in the order of the axes */
    int space;     /* axes that are not channels */
    long channels; /* 1 where there is no axis of them */
    int classes;   /* of a field of few whole numbers, else 0 */
};

/* The values of field k of a sample's block. */
int array_init(struct array *a, const struct dataset_info *info, const void *sample, int k,
               struct err *e);
void array_fini(struct array *a);

/* How planes are drawn: what stands before the channel's name; whether the first one
 * begins a row; classes with names and colours, where they are not the field's. */
struct array_style {
    const char *what;
    bool row;
    enum panel_scale scale;
    double least, greatest; /* both 0: as the values are */
    int classes;
    const char *const *names;
    const uint32_t *colours;
};

/* Adds the panels of an array with axes of space. */
int array_panels(struct picture *p, const struct array *a, const struct array_style *style,
                 struct err *e);

/* "signal", "3", "0.25": one value of a field in words. */
void array_word(char *text, size_t size, const struct field *field, double value);

#endif

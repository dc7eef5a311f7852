/* SPDX-License-Identifier: BSD-3-Clause */
/* An invented science, with what published layouts have: many samples in a
 * file, channels last, parts of a field in a group, optional fields, whole
 * numbers; and files of it. */
#ifndef DATA_MADE_UP_H
#define DATA_MADE_UP_H

#include <hdf5.h>

#include "workloads/data/science.h"

enum { MADE_C = 3, MADE_Y = 7, MADE_X = 10 };
enum { MADE_UP_IMAGE, MADE_UP_LABEL, MADE_UP_WEIGHT, MADE_UP_MASK };

extern const struct science made_up;
extern const struct data_class made_up_class; /* MADE_Y x MADE_X */

/* What sample number s holds; small whole numbers, but the weights. */
int made_up_image(int s, int c, int y, int x);
int made_up_label(int s);
float made_up_weight(int s);
int made_up_mask(int s, int y, int x);

/* A file; zeros are layout "flat", one sample, contiguous float32. */
struct made_file {
    const char *layout; /* "flat", "events", "single" */
    int first, n;       /* samples */
    hid_t image, other; /* types in the file */
    long chunk;         /* samples in each, 0: contiguous; of the mask 2 more */
    long rows;          /* of the image in a chunk; 0: all */
    void (*filter)(hid_t plist);
    bool no_weight;
    bool columns; /* labels are (n,1), as is seen */
};

void made_up_write(const char *folder, const char *name, const struct made_file *m);

/* A dataset of a new or an open file, and the groups that lead there. */
struct made_set {
    const char *path;
    hid_t type, held;
    int rank;
    hsize_t dims[5], chunk[5]; /* chunk[0] 0: contiguous */
    void (*filter)(hid_t plist);
};
void made_up_put(hid_t file, const struct made_set *s, const void *data);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Small sets on storage for the tests of reader and loader. */
#ifndef DATA_FIXTURE_H
#define DATA_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include <hdf5.h>

/* A filter that is no part of HDF5, and the variable that it sets when it is
 * loaded (foreign_filter.c). */
enum { FOREIGN_FILTER = 32123 };
#define FOREIGN_FILTER_RAN "HPCAI500_TEST_FOREIGN_FILTER_RAN"

/* How one file of a fixture is made; zeros are the published cut layout,
 * contiguous int16. */
struct fixture {
    int edge;     /* 8 when 0 */
    hid_t type;   /* of the cube in the file; 0: int16 */
    int chunk[4]; /* 0: contiguous */
    void (*filter)(hid_t plist);
    bool raw;
    unsigned userblock; /* bytes of others before the file's own */
    int sample;         /* value_at() of this sample */
};

/* For struct fixture's filter: how a dataset is stored. Shuffling after a checksum
 * (summed_first) meets bytes that are not a whole value. */
void filter_deflated(hid_t plist);
void filter_shuffled(hid_t plist);
void filter_shuffled_only(hid_t plist);
void filter_checksummed(hid_t plist);
void filter_summed_first(hid_t plist);
void filter_twice(hid_t plist);
void filter_summed(hid_t plist);
void filter_packed(hid_t plist);
void filter_scaled(hid_t plist);
void filter_szipped(hid_t plist);
void filter_compact(hid_t plist);
void filter_all_three(hid_t plist);

/* The count that sample holds in a cell; small, and different everywhere. */
int value_at(int sample, int a, int b, int c, int channel);
float label_at(int sample, int i);

/* A new empty folder below the build folder; with train/ and validation/. */
void fixture_folder(char path[256]);
void fixture_remove(const char *path);

/* A test's setup and teardown: *state is such a folder's path. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* folder/name */
void fixture_write(const char *folder, const char *name, const struct fixture *x);

/* count cut files of edge cells, train/s0.hdf5 ... */
void fixture_set(const char *folder, const char *split, int count, int edge);

#endif

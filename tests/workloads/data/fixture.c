/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "tests/workloads/data/fixture.h"

#include <assert.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int value_at(int sample, int a, int b, int c, int channel)
{
    return (sample * 31 + a * 37 + b * 11 + c * 5 + channel * 3 + a * b * c) % 113;
}

float label_at(int sample, int i)
{
    return (float)(sample % 19 - 9) / 10 + (float)i / 100;
}

void fixture_folder(char path[256])
{
    char sub[300];

    snprintf(path, 256, "fixture-XXXXXX");
    if (!mkdtemp(path))
        abort();
    snprintf(sub, sizeof sub, "%s/train", path);
    mkdir(sub, 0777);
    snprintf(sub, sizeof sub, "%s/validation", path);
    mkdir(sub, 0777);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

void fixture_remove(const char *path)
{
    nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int fixture_setup(void **state)
{
    *state = malloc(256);
    if (!*state)
        abort();
    fixture_folder(*state);
    return 0;
}

int fixture_teardown(void **state)
{
    fixture_remove(*state);
    free(*state);
    return 0;
}

void fixture_write(const char *folder, const char *name, const struct fixture *x)
{
    const int edge = x->edge ? x->edge : 8;
    const hsize_t dims[4] = {(hsize_t)edge, (hsize_t)edge, (hsize_t)edge, 4}, four = 4;
    char path[512];
    float y[4];
    int16_t *v = malloc((size_t)edge * (size_t)edge * (size_t)edge * 4 * sizeof *v);

    for (int i = 0; i < edge * edge * edge * 4; i++)
        v[i] = (int16_t)value_at(x->sample, i / 4 / edge / edge, i / 4 / edge % edge, i / 4 % edge,
                                 i % 4);
    for (int i = 0; i < 4; i++)
        y[i] = label_at(x->sample, i);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    hid_t how = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_userblock(how, x->userblock);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_libver_bounds(access, H5F_LIBVER_EARLIEST, H5F_LIBVER_LATEST); /* what tests patch */
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, how, access);
    H5Pclose(access);
    H5Pclose(how);
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(4, dims, NULL);
    if (x->chunk[0]) {
        hsize_t chunk[4];
        for (int i = 0; i < 4; i++)
            chunk[i] = (hsize_t)x->chunk[i];
        H5Pset_chunk(plist, 4, chunk);
    }
    if (x->filter)
        x->filter(plist);
    hid_t set = H5Dcreate2(file, x->raw ? "full" : "x", x->type ? x->type : H5T_STD_I16LE, space,
                           H5P_DEFAULT, plist, H5P_DEFAULT);
    if (set < 0 || H5Dwrite(set, H5T_NATIVE_INT16, H5S_ALL, H5S_ALL, H5P_DEFAULT, v) < 0)
        abort();
    H5Dclose(set);
    H5Sclose(space);
    space = H5Screate_simple(1, &four, NULL);
    set = H5Dcreate2(file, x->raw ? "unitPar" : "y", H5T_IEEE_F32LE, space, H5P_DEFAULT,
                     H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, y);
    H5Dclose(set);
    H5Sclose(space);
    H5Pclose(plist);
    if (H5Fclose(file) < 0)
        abort();
    free(v);
}

void fixture_set(const char *folder, const char *split, int count, int edge)
{
    for (int i = 0; i < count; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s/s%03d.hdf5", split, i);
        fixture_write(folder, name, &(struct fixture){.edge = edge, .sample = i});
    }
}

void filter_deflated(hid_t p)
{
    H5Pset_deflate(p, 4);
}

void filter_shuffled(hid_t p)
{
    H5Pset_shuffle(p);
    H5Pset_deflate(p, 4);
}

void filter_shuffled_only(hid_t p)
{
    H5Pset_shuffle(p);
}

void filter_checksummed(hid_t p)
{
    H5Pset_deflate(p, 1);
    H5Pset_fletcher32(p);
}

/* Shuffling then meets what is no whole value. */
void filter_summed_first(hid_t p)
{
    H5Pset_fletcher32(p);
    H5Pset_shuffle(p);
    H5Pset_deflate(p, 3);
}

void filter_twice(hid_t p)
{
    H5Pset_shuffle(p);
    H5Pset_fletcher32(p);
    H5Pset_shuffle(p);
    H5Pset_fletcher32(p);
    H5Pset_deflate(p, 2);
}

void filter_summed(hid_t p)
{
    H5Pset_fletcher32(p);
}

void filter_packed(hid_t p)
{
    H5Pset_nbit(p);
}

void filter_scaled(hid_t p)
{
    H5Pset_scaleoffset(p, H5Z_SO_INT, 0);
}

void filter_szipped(hid_t p)
{
    unsigned can = 0;

    if (H5Zfilter_avail(H5Z_FILTER_SZIP) > 0)
        H5Zget_filter_info(H5Z_FILTER_SZIP, &can);
    if (can & H5Z_FILTER_CONFIG_ENCODE_ENABLED)
        H5Pset_szip(p, H5_SZIP_NN_OPTION_MASK, 8);
}

void filter_compact(hid_t p)
{
    H5Pset_layout(p, H5D_COMPACT);
}

void filter_all_three(hid_t p)
{
    H5Pset_shuffle(p);
    H5Pset_fletcher32(p);
    H5Pset_deflate(p, 9);
}

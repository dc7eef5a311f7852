/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/data/h5_image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hdf5.h>
#include <zlib.h>

#include "reports/core/atomic.h"

enum { PATH_BYTES = 128 };

struct h5_image {
    hid_t file;
    bool failed;
};

struct h5_image *h5_image_begin(struct err *e)
{
    struct h5_image *f = calloc(1, sizeof *f);

    if (!f)
        return err_set(e, "no memory for a file"), NULL;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* it prints all of its errors otherwise */
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fapl_core(access, 1 << 20, 0);
    /* the same bytes by every release: HDF5 2 would write a later format */
    H5Pset_libver_bounds(access, H5F_LIBVER_EARLIEST, H5F_LIBVER_LATEST);
    f->file = H5Fcreate("image", H5F_ACC_TRUNC, H5P_DEFAULT, access);
    H5Pclose(access);
    if (f->file >= 0)
        return f;
    free(f);
    return err_set(e, "HDF5 could not begin a file in memory"), NULL;
}

/* The groups above `path`, without times; those that are there stay. */
static int make_groups(hid_t file, const char *path)
{
    char part[PATH_BYTES];
    hid_t properties = H5Pcreate(H5P_GROUP_CREATE);
    int rc = strlen(path) < sizeof part ? 0 : -1;

    H5Pset_obj_track_times(properties, 0);
    for (const char *slash = path; rc == 0 && (slash = strchr(slash, '/')); slash++) {
        snprintf(part, sizeof part, "%.*s", (int)(slash - path), path);
        if (H5Lexists(file, part, H5P_DEFAULT) > 0)
            continue;
        hid_t group = H5Gcreate2(file, part, H5P_DEFAULT, properties, H5P_DEFAULT);
        rc = group >= 0 && H5Gclose(group) >= 0 ? 0 : -1;
    }
    H5Pclose(properties);
    return rc;
}

/* One dataset; takes `properties`. */
static int put(struct h5_image *f, const char *path, hid_t stored, hid_t held, int rank,
               const hsize_t *dims, hid_t properties, const void *values)
{
    hid_t space = H5Screate_simple(rank, dims, NULL), set = -1;
    int rc = make_groups(f->file, path);

    H5Pset_obj_track_times(properties, 0);
    if (rc == 0)
        set = H5Dcreate2(f->file, path, stored, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    if (set < 0 || H5Dwrite(set, held, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
        rc = -1;
    if (set >= 0 && H5Dclose(set) < 0)
        rc = -1;
    H5Pclose(properties);
    H5Sclose(space);
    f->failed = f->failed || rc < 0;
    return rc;
}

int h5_image_put(struct h5_image *f, const char *path, enum number type, int rank,
                 const uint64_t *dims, const uint64_t *chunk, int deflate, const void *values)
{
    const struct {
        hid_t stored, held;
    } types[] = {
        [NUMBER_INT16] = {H5T_STD_I16LE, H5T_NATIVE_INT16},
        [NUMBER_FLOAT] = {H5T_IEEE_F32LE, H5T_NATIVE_FLOAT},
        [NUMBER_UINT8] = {H5T_STD_U8LE, H5T_NATIVE_UINT8},
        [NUMBER_INT32] = {H5T_STD_I32LE, H5T_NATIVE_INT32},
    };
    hsize_t size[H5_IMAGE_AXES], part[H5_IMAGE_AXES];
    hid_t properties = H5Pcreate(H5P_DATASET_CREATE);

    for (int i = 0; i < rank; i++) {
        size[i] = dims[i];
        part[i] = chunk ? chunk[i] : 0;
    }
    if (chunk)
        H5Pset_chunk(properties, rank, part);
    if (chunk && deflate)
        H5Pset_deflate(properties, (unsigned)deflate);
    return put(f, path, types[type].stored, types[type].held, rank, size, properties, values);
}

int h5_image_put_texts(struct h5_image *f, const char *path, int n, size_t size,
                       const char *const *texts)
{
    const hsize_t dims = (hsize_t)n;
    char *values = calloc((size_t)n, size);
    hid_t type = H5Tcopy(H5T_C_S1);
    int rc = -1;

    for (int i = 0; values && i < n; i++)
        strncpy(values + (size_t)i * size, texts[i], size - 1);
    H5Tset_size(type, size);
    if (values)
        rc = put(f, path, type, type, 1, &dims, H5Pcreate(H5P_DATASET_CREATE), values);
    H5Tclose(type);
    free(values);
    f->failed = f->failed || rc < 0;
    return rc;
}

/* The file's bytes, malloc'ed; NULL when HDF5 refused. */
static void *image(const struct h5_image *f, size_t *size)
{
    void *bytes = NULL;
    ssize_t n = -1;

    if (!f->failed && H5Fflush(f->file, H5F_SCOPE_LOCAL) >= 0)
        n = H5Fget_file_image(f->file, NULL, 0);
    if (n > 0)
        bytes = malloc((size_t)n);
    if (bytes && H5Fget_file_image(f->file, bytes, (size_t)n) != n) {
        free(bytes);
        bytes = NULL;
    }
    *size = n > 0 ? (size_t)n : 0;
    return bytes;
}

int h5_image_write(struct h5_image *f, const char *path, char sha256[SHA256_HEX_SIZE],
                   uint64_t *bytes, struct err *e)
{
    struct sha256 s;
    size_t size;

    char *text = image(f, &size);
    h5_image_drop(f);
    if (!text)
        return err_set(e, "%s: HDF5 could not build it in memory", path);
    sha256_init(&s);
    sha256_add(&s, text, size);
    sha256_hex(&s, sha256);
    *bytes = size;
    int rc = atomic_write(AT_FDCWD, path, 0666, ATOMIC_UMASK | ATOMIC_VOLATILE, text, size);
    if (rc < 0)
        err_set(e, "%s: %s", path, strerror(errno));
    free(text);
    return rc;
}

void h5_image_drop(struct h5_image *f)
{
    if (!f)
        return;
    H5Fclose(f->file);
    free(f);
}

void h5_image_build(char *text, size_t size, const char *libraries)
{
#if defined __x86_64__
    const char *machine = "x86_64";
#elif defined __aarch64__
    const char *machine = "aarch64";
#else
    const char *machine = "other";
#endif
    unsigned major, minor, release;

    H5get_libversion(&major, &minor, &release);
    snprintf(text, size, "%s %s%shdf5-%u.%u.%u zlib-%s", machine, libraries, *libraries ? " " : "",
             major, minor, release, zlibVersion());
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/generate/gen_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hdf5.h>
#include <zlib.h>

#include "reports/core/atomic.h"

enum { CHUNK_BYTES = 2 << 20, NAME_BYTES = 8 };

/* Chunks are slabs of whole planes, at most CHUNK_BYTES each. */
static hid_t cube_properties(const struct gen_cube *c)
{
    hsize_t edge = (hsize_t)c->edge;
    hsize_t chunk[4] = {edge, edge, edge, COSMO_CHANNELS};
    hid_t p = H5Pcreate(H5P_DATASET_CREATE);

    while (chunk[0] > 1 && chunk[0] * edge * edge * COSMO_CHANNELS * 2 > CHUNK_BYTES)
        chunk[0] /= 2;
    H5Pset_obj_track_times(p, 0);
    H5Pset_chunk(p, 4, chunk);
    H5Pset_deflate(p, (unsigned)c->deflate);
    return p;
}

/* One dataset, then its handles are closed; properties may be H5P_DEFAULT. */
static int put(hid_t file, const char *name, hid_t stored, hid_t held, int rank,
               const hsize_t *dims, hid_t properties, const void *data)
{
    hid_t space = H5Screate_simple(rank, dims, NULL);
    hid_t own = properties == H5P_DEFAULT ? H5Pcreate(H5P_DATASET_CREATE) : properties;

    H5Pset_obj_track_times(own, 0);
    hid_t set = H5Dcreate2(file, name, stored, space, H5P_DEFAULT, own, H5P_DEFAULT);
    int rc = set < 0 || H5Dwrite(set, held, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0 ? -1 : 0;
    if (set >= 0 && H5Dclose(set) < 0)
        rc = -1;
    H5Pclose(own);
    H5Sclose(space);
    return rc;
}

static int put_floats(hid_t file, const char *name, const float v[4])
{
    return put(file, name, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, 1, (hsize_t[]){4}, H5P_DEFAULT, v);
}

static int put_names(hid_t file)
{
    char names[COSMO_PARAMETERS][NAME_BYTES] = {{0}};
    hid_t type = H5Tcopy(H5T_C_S1);

    for (int i = 0; i < COSMO_PARAMETERS; i++)
        strncpy(names[i], cosmo_parameters[i].name, NAME_BYTES - 1);
    H5Tset_size(type, NAME_BYTES);
    int rc = put(file, "namePar", type, type, 1, (hsize_t[]){COSMO_PARAMETERS}, H5P_DEFAULT, names);
    H5Tclose(type);
    return rc;
}

static int put_all(hid_t file, const struct gen_cube *c)
{
    const hsize_t edge = (hsize_t)c->edge;
    const hsize_t dims[4] = {edge, edge, edge, COSMO_CHANNELS};
    const bool raw = c->layout == DATA_RAW;
    float unit[COSMO_PARAMETERS], physical[COSMO_PARAMETERS], redshifts[COSMO_CHANNELS];

    for (int i = 0; i < COSMO_PARAMETERS; i++) {
        const struct cosmo_parameter *p = &cosmo_parameters[i];
        unit[i] = (float)c->unit[i];
        physical[i] = (float)(p->low + (p->high - p->low) * (c->unit[i] + 1) / 2);
    }
    for (int i = 0; i < COSMO_CHANNELS; i++)
        redshifts[i] = (float)cosmo_redshifts[i];
    if (put(file, raw ? "full" : "x", H5T_STD_I16LE, H5T_NATIVE_INT16, 4, dims, cube_properties(c),
            c->counts) < 0)
        return -1;
    if (put_floats(file, raw ? "unitPar" : "y", unit) < 0)
        return -1;
    if (raw && (put_floats(file, "physPar", physical) < 0 || put_names(file) < 0 ||
                put_floats(file, "redshifts", redshifts) < 0))
        return -1;
    return 0;
}

/* The file's bytes, malloc'ed; NULL when HDF5 refused. */
static void *image(const struct gen_cube *c, size_t *size)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    void *bytes = NULL;
    ssize_t n = -1;

    H5Pset_fapl_core(access, 1 << 20, 0);
    /* the same bytes by every release: HDF5 2 would write a later format */
    H5Pset_libver_bounds(access, H5F_LIBVER_EARLIEST, H5F_LIBVER_LATEST);
    hid_t file = H5Fcreate("cube", H5F_ACC_TRUNC, H5P_DEFAULT, access);
    if (file >= 0 && put_all(file, c) == 0 && H5Fflush(file, H5F_SCOPE_LOCAL) >= 0)
        n = H5Fget_file_image(file, NULL, 0);
    if (n > 0)
        bytes = malloc((size_t)n);
    if (bytes && H5Fget_file_image(file, bytes, (size_t)n) != n) {
        free(bytes);
        bytes = NULL;
    }
    if (file >= 0)
        H5Fclose(file);
    H5Pclose(access);
    *size = n > 0 ? (size_t)n : 0;
    return bytes;
}

int gen_write(const char *path, const struct gen_cube *c, char sha256[SHA256_HEX_SIZE],
              uint64_t *bytes, struct err *e)
{
    struct sha256 s;
    size_t size;

    char *text = image(c, &size);
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

void gen_write_build(char *text, size_t size, const char *fftw)
{
#if defined __x86_64__
    const char *machine = "x86_64";
#elif defined __aarch64__
    const char *machine = "aarch64";
#else
    const char *machine = "other";
#endif
    unsigned major, minor, release;
    const char *dash = strchr(fftw, '-');
    size_t n = dash ? (size_t)(dash + 1 - fftw) + strcspn(dash + 1, "-") : strlen(fftw);

    H5get_libversion(&major, &minor, &release);
    snprintf(text, size, "%s %.*s hdf5-%u.%u.%u zlib-%s", machine, (int)n, fftw, major, minor,
             release, zlibVersion());
}

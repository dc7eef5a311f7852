/* SPDX-License-Identifier: BSD-3-Clause */
/* Whatever HDF5 can store is read to the same numbers; whatever is no cube is
 * refused with one sentence. */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <zlib.h>

#include "tests/workloads/data/fixture.h"
#include "workloads/data/dataset.h"

static char folder[256];

static int make_folder(void **state)
{
    (void)state;
    fixture_folder(folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    fixture_remove(folder);
    return 0;
}

static void deflated(hid_t p)
{
    H5Pset_deflate(p, 4);
}

static void shuffled(hid_t p)
{
    H5Pset_shuffle(p);
    H5Pset_deflate(p, 4);
}

static void shuffled_only(hid_t p)
{
    H5Pset_shuffle(p);
}

static void checksummed(hid_t p)
{
    H5Pset_deflate(p, 1);
    H5Pset_fletcher32(p);
}

/* Shuffling then meets what is no whole value. */
static void summed_first(hid_t p)
{
    H5Pset_fletcher32(p);
    H5Pset_shuffle(p);
    H5Pset_deflate(p, 3);
}

static void twice(hid_t p)
{
    H5Pset_shuffle(p);
    H5Pset_fletcher32(p);
    H5Pset_shuffle(p);
    H5Pset_fletcher32(p);
    H5Pset_deflate(p, 2);
}

static void summed(hid_t p)
{
    H5Pset_fletcher32(p);
}

static void packed(hid_t p)
{
    H5Pset_nbit(p);
}

static void scaled(hid_t p)
{
    H5Pset_scaleoffset(p, H5Z_SO_INT, 0);
}

static void szipped(hid_t p)
{
    unsigned can = 0;

    if (H5Zfilter_avail(H5Z_FILTER_SZIP) > 0)
        H5Zget_filter_info(H5Z_FILTER_SZIP, &can);
    if (can & H5Z_FILTER_CONFIG_ENCODE_ENABLED)
        H5Pset_szip(p, H5_SZIP_NN_OPTION_MASK, 8);
}

static void compact(hid_t p)
{
    H5Pset_layout(p, H5D_COMPACT);
}

static void all_three(hid_t p)
{
    H5Pset_shuffle(p);
    H5Pset_fletcher32(p);
    H5Pset_deflate(p, 9);
}

static void assert_sample(const struct dataset_info *info, const void *cube, const float *y,
                          int sample, const int corner[3])
{
    const int D = info->edge;

    for (int i = 0; i < D * D * D * 4; i++) {
        int want = value_at(sample, corner[0] + i / 4 / D / D, corner[1] + i / 4 / D % D,
                            corner[2] + i / 4 % D, i % 4);
        float have =
            info->type == DATASET_INT16 ? ((const int16_t *)cube)[i] : ((const float *)cube)[i];
        if (have != (float)want)
            fail_msg("value %d is %g, expected %d", i, (double)have, want);
    }
    for (int i = 0; i < 4; i++)
        assert_true(y[i] == label_at(sample, i));
}

/* 0: what the fixture has when nothing is said. */
static const char *stored_name(hid_t type)
{
    return type == 0                ? "int16"
           : type == H5T_STD_U8LE   ? "uint8"
           : type == H5T_STD_U16LE  ? "uint16"
           : type == H5T_STD_I16BE  ? "int16"
           : type == H5T_STD_I32LE  ? "int32"
           : type == H5T_STD_I32BE  ? "int32"
           : type == H5T_STD_I64BE  ? "int64"
           : type == H5T_IEEE_F32LE ? "float32"
           : type == H5T_IEEE_F32BE ? "float32"
                                    : "float64";
}

/* Every storage, type and chunking gives the same values. */
static void any_storage_reads_alike(void **state)
{
    const struct {
        struct fixture x;
        enum dataset_type type;
    } rows[] = {
        {{0}, DATASET_INT16},
        {{.chunk = {8, 8, 8, 4}, .filter = deflated}, DATASET_INT16},
        {{.chunk = {8, 8, 8, 4}}, DATASET_INT16},
        {{.chunk = {3, 5, 8, 4}, .filter = deflated}, DATASET_INT16},
        {{.chunk = {3, 5, 7, 3}, .filter = shuffled}, DATASET_INT16},
        {{.chunk = {1, 8, 2, 1}, .filter = shuffled_only}, DATASET_INT16},
        {{.chunk = {4, 4, 4, 4}, .filter = checksummed}, DATASET_INT16},
        {{.chunk = {4, 4, 4, 4}, .filter = all_three}, DATASET_INT16},
        {{.chunk = {4, 4, 4, 4}, .filter = packed}, DATASET_INT16},
        {{.chunk = {4, 4, 4, 4}, .filter = scaled}, DATASET_INT16},
        {{.chunk = {4, 4, 4, 4}, .filter = szipped}, DATASET_INT16},
        {{.userblock = 512, .chunk = {4, 4, 4, 4}, .filter = deflated}, DATASET_INT16},
        {{.chunk = {3, 5, 7, 3}, .filter = summed_first}, DATASET_INT16},
        {{.chunk = {3, 5, 7, 3}, .filter = twice}, DATASET_INT16},
        {{.filter = compact}, DATASET_INT16},
        {{.type = H5T_STD_I16BE}, DATASET_INT16},
        {{.type = H5T_STD_U8LE, .chunk = {4, 8, 8, 4}, .filter = deflated}, DATASET_INT16},
        {{.type = H5T_STD_U16LE}, DATASET_FLOAT},
        {{.type = H5T_STD_I64BE, .chunk = {3, 8, 5, 4}, .filter = checksummed}, DATASET_FLOAT},
        {{.type = H5T_STD_I16BE, .chunk = {3, 8, 5, 2}, .filter = shuffled}, DATASET_INT16},
        {{.type = H5T_IEEE_F64LE, .filter = compact}, DATASET_FLOAT},
        {{.userblock = 512}, DATASET_INT16},
        {{.userblock = 512, .type = H5T_STD_I32BE}, DATASET_FLOAT},
        {{.type = H5T_STD_I32LE}, DATASET_FLOAT},
        {{.type = H5T_IEEE_F32LE}, DATASET_FLOAT},
        {{.type = H5T_IEEE_F32LE, .chunk = {3, 8, 5, 4}, .filter = shuffled}, DATASET_FLOAT},
        {{.type = H5T_IEEE_F32BE, .chunk = {3, 8, 5, 4}, .filter = shuffled}, DATASET_FLOAT},
        {{.type = H5T_IEEE_F64LE}, DATASET_FLOAT},
        {{.raw = true, .chunk = {8, 8, 8, 4}, .filter = deflated}, DATASET_INT16},
    };
    float cube[8 * 8 * 8 * 4], y[4];
    struct err e = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct fixture x = rows[i].x;
        x.sample = (int)i;
        fixture_write(folder, "train/one.hdf5", &x);
        struct dataset *d = dataset_open(folder, DATASET_TRAIN, 8, &e);
        if (!d)
            fail_msg("row %zu: %s", i, e.text);
        const struct dataset_info *info = dataset_info(d);
        assert_int_equal(info->type, rows[i].type);
        assert_string_equal(info->stored, stored_name(x.type));
        assert_int_equal(info->samples, 1);
        assert_int_equal(info->layout, x.raw ? DATA_RAW : DATA_CUT);
        assert_false(info->periodic || info->generated);
        if (dataset_read(d, 0, cube, y, NULL, &e) < 0)
            fail_msg("row %zu: %s", i, e.text);
        assert_sample(info, cube, y, x.sample, (int[]){0, 0, 0});
        dataset_close(d);
    }
}

/* A filter that was left out of one chunk (its mask says so) is not undone. */
static void masked_filters_are_left_out(void **state)
{
    const hsize_t at[4] = {0};
    int16_t v[8 * 8 * 8 * 4], cube[8 * 8 * 8 * 4];
    char path[300];
    float y[4];
    struct err e = ERR_INIT;

    (void)state;
    fixture_write(folder, "train/one.hdf5",
                  &(struct fixture){.chunk = {8, 8, 8, 4}, .filter = shuffled});
    snprintf(path, sizeof path, "%s/train/one.hdf5", folder);
    for (int i = 0; i < 8 * 8 * 8 * 4; i++)
        v[i] = (int16_t)value_at(0, i / 256, i / 32 % 8, i / 4 % 8, i % 4);
    hid_t f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), set = H5Dopen2(f, "x", H5P_DEFAULT);
    assert_true(H5Dwrite_chunk(set, H5P_DEFAULT, 3, at, sizeof v, v) >= 0);
    H5Dclose(set);
    H5Fclose(f);
    struct dataset *d = dataset_open(folder, DATASET_TRAIN, 8, &e);
    assert_non_null(d);
    assert_int_equal(dataset_read(d, 0, cube, y, NULL, &e), 0);
    assert_sample(dataset_info(d), cube, y, 0, (int[]){0, 0, 0});
    dataset_close(d);
}

/* A raw cube is cut into (S/D)^3 samples, however it is stored. */
static void raw_cubes_are_cut(void **state)
{
    const struct fixture rows[] = {
        {.edge = 16, .raw = true},
        {.edge = 16, .raw = true, .chunk = {16, 16, 16, 4}, .filter = deflated},
        {.edge = 16, .raw = true, .chunk = {5, 6, 7, 4}, .filter = shuffled},
        {.edge = 16, .raw = true, .chunk = {5, 6, 7, 2}, .filter = checksummed},
    };
    int16_t cube[8 * 8 * 8 * 4];
    float y[4];
    struct err e = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        fixture_write(folder, "train/one.hdf5", &rows[i]);
        struct dataset *d = dataset_open(folder, DATASET_TRAIN, 8, &e);
        assert_non_null(d);
        assert_int_equal(dataset_info(d)->samples, 8);
        for (int part = 0; part < 8; part++) {
            uint64_t bytes = 0;
            assert_int_equal(dataset_read(d, (uint64_t)part, cube, y, &bytes, &e), 0);
            assert_true(bytes > 0);
            assert_sample(dataset_info(d), cube, y, 0,
                          (int[]){part / 4 * 8, part / 2 % 2 * 8, part % 2 * 8});
        }
        assert_int_equal(dataset_read(d, 8, cube, y, NULL, &e), -1);
        dataset_close(d);
    }
}

/* Ways to spoil train/one.hdf5. */
static void without(const char *path, const char *name)
{
    hid_t f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);

    H5Ldelete(f, name, H5P_DEFAULT);
    H5Fclose(f);
}

static void put(const char *path, const char *name, hid_t type, int rank, const hsize_t *dims,
                hid_t held, const void *data)
{
    without(path, name);
    hid_t f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    hid_t space = H5Screate_simple(rank, dims, NULL);
    hid_t set = H5Dcreate2(f, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);

    if (data)
        H5Dwrite(set, held, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
    H5Dclose(set);
    H5Sclose(space);
    H5Fclose(f);
}

static void no_cube(const char *path)
{
    without(path, "x");
}

static void no_labels(const char *path)
{
    without(path, "y");
}

static void three_labels(const char *path)
{
    put(path, "y", H5T_IEEE_F32LE, 1, (hsize_t[]){3}, H5T_NATIVE_FLOAT, (float[]){1, 2, 3});
}

static void integer_labels(const char *path)
{
    put(path, "y", H5T_STD_I32LE, 1, (hsize_t[]){4}, H5T_NATIVE_INT, (int[]){1, 2, 3, 4});
}

static void nan_labels(const char *path)
{
    put(path, "y", H5T_IEEE_F32LE, 1, (hsize_t[]){4}, H5T_NATIVE_FLOAT, (float[]){0, 0, NAN, 0});
}

static void flat_cube(const char *path)
{
    put(path, "x", H5T_STD_I16LE, 3, (hsize_t[]){8, 8, 4}, 0, NULL);
}

static void oblong_cube(const char *path)
{
    put(path, "x", H5T_STD_I16LE, 4, (hsize_t[]){8, 8, 9, 4}, 0, NULL);
}

/* A set whose extent was changed after it was made, which asks for no room. */
static void chunked(const char *path, const char *name, const hsize_t *dims, const hsize_t *chunk,
                    void (*filter)(hid_t plist))
{
    const int rank = name[0] == 'x' ? 4 : 1;
    const hsize_t most[4] = {H5S_UNLIMITED, H5S_UNLIMITED, H5S_UNLIMITED, H5S_UNLIMITED};
    hid_t p = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(rank, chunk, most);

    without(path, name);
    hid_t f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    H5Pset_chunk(p, rank, chunk);
    if (filter)
        filter(p);
    hid_t set = H5Dcreate2(f, name, rank == 4 ? H5T_STD_I16LE : H5T_IEEE_F32LE, space, H5P_DEFAULT,
                           p, H5P_DEFAULT);
    assert_true(set >= 0 && H5Dset_extent(set, dims) >= 0);
    H5Dclose(set);
    H5Sclose(space);
    H5Pclose(p);
    H5Fclose(f);
}

/* Late allocation: a huge set that takes no room in the file. */
static void huge_cube(const char *path)
{
    const hsize_t side = (hsize_t)1 << 20;

    chunked(path, "x", (hsize_t[]){side, side, side, 4}, (hsize_t[]){8, 8, 8, 4}, NULL);
}

/* The extent, now and at most, that the file of a set says, written over what
 * the library, which would not make such a set, has put there. */
static void say_extent(const char *path, int rank, const uint64_t *was, const uint64_t *is)
{
    unsigned char file[65536], message[8 + 2 * 4 * 8] = {1, (unsigned char)rank, 1};
    const size_t bytes = (size_t)rank * 8;

    memcpy(message + 8, was, bytes);
    memcpy(message + 8 + bytes, was, bytes);
    int fd = open(path, O_RDWR);
    ssize_t n = pread(fd, file, sizeof file, 0);
    unsigned char *found = memmem(file, (size_t)n, message, 8 + 2 * bytes);
    assert_non_null(found);
    for (size_t k = 0; k < 2; k++)
        assert_int_equal(pwrite(fd, is, bytes, found + 8 + k * bytes - file), (ssize_t)bytes);
    close(fd);
}

/* The product of these is 0 in 64 bits. */
static void endless_cube(const char *path)
{
    const uint64_t side = (uint64_t)1 << 62;

    say_extent(path, 4, (uint64_t[]){8, 8, 8, 4}, (uint64_t[]){side, side, side, 4});
}

static void endless_axis(const char *path)
{
    say_extent(path, 4, (uint64_t[]){8, 8, 8, 4}, (uint64_t[]){8, 8, (uint64_t)1 << 63, 4});
}

static void endless_labels(const char *path)
{
    say_extent(path, 1, (uint64_t[]){4}, (uint64_t[]){(uint64_t)1 << 63});
}

/* A chunk may be larger than its set: 2 GiB of numbers, deflated to nothing. */
static void huge_chunk(const char *path)
{
    chunked(path, "x", (hsize_t[]){8, 8, 8, 4}, (hsize_t[]){1024, 1024, 256, 4}, deflated);
}

static void huge_chunk_of_labels(const char *path)
{
    chunked(path, "y", (hsize_t[]){4}, (hsize_t[]){1 << 29}, deflated);
}

static void wide_labels(const char *path)
{
    hid_t type = H5Tcopy(H5T_IEEE_F64LE);

    /* later ones do not make the largest */
    H5Tset_size(type, H5_VERSION_GE(1, 14, 0) ? 16 : 1 << 20);
    put(path, "y", type, 1, (hsize_t[]){4}, 0, NULL);
    H5Tclose(type);
}

/* The index says that the one chunk takes nearly 4 GiB of the file. */
static void boasting_chunk(const char *path)
{
    unsigned char file[65536], key[8 + 5 * 8] = {0};
    const hsize_t at[4] = {0};
    hsize_t size = 0;
    haddr_t where;
    unsigned mask;

    fixture_write(folder, "train/two.hdf5",
                  &(struct fixture){.chunk = {8, 8, 8, 4}, .filter = checksummed});
    hid_t f = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), set = H5Dopen2(f, "x", H5P_DEFAULT);
    H5Dget_chunk_info_by_coord(set, at, &mask, &where, &size);
    H5Dclose(set);
    H5Fclose(f);
    memcpy(key, &(uint32_t){(uint32_t)size}, 4); /* then mask and corner, all 0 */
    int fd = open(path, O_RDWR);
    ssize_t n = pread(fd, file, sizeof file, 0);
    unsigned char *found = memmem(file, (size_t)n, key, sizeof key);
    assert_non_null(found);
    assert_int_equal(pwrite(fd, "\xf0\xff\xff\xff", 4, found - file), 4);
    close(fd);
}

/* A filter that is no part of HDF5. Writing takes one that does nothing. */
static size_t copy(unsigned flags, size_t n, const unsigned values[], size_t bytes, size_t *room,
                   void **buf)
{
    (void)flags, (void)n, (void)values, (void)room, (void)buf;
    return bytes;
}

static void with_filter(const char *path, const char *name, int rank, const hsize_t *dims,
                        hid_t type)
{
    static const int16_t zeros[8 * 8 * 8 * 4];
    const H5Z_class2_t ours = {H5Z_CLASS_T_VERS, FOREIGN_FILTER, 1, 1, "foreign", NULL, NULL, copy};
    hid_t f, p = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(rank, dims, NULL);

    without(path, name);
    f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    H5Zregister(&ours);
    H5Pset_chunk(p, rank, dims);
    H5Pset_filter(p, FOREIGN_FILTER, H5Z_FLAG_MANDATORY, 0, NULL);
    hid_t set = H5Dcreate2(f, name, type, space, H5P_DEFAULT, p, H5P_DEFAULT);
    H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, zeros);
    H5Dclose(set);
    H5Sclose(space);
    H5Pclose(p);
    H5Fclose(f);
    H5Zunregister(FOREIGN_FILTER);
}

static void foreign_filter(const char *path)
{
    with_filter(path, "x", 4, (hsize_t[]){8, 8, 8, 4}, H5T_STD_I16LE);
}

static void foreign_filter_of_labels(const char *path)
{
    with_filter(path, "y", 1, (hsize_t[]){4}, H5T_IEEE_F32LE);
}

static void five_channels(const char *path)
{
    put(path, "x", H5T_STD_I16LE, 4, (hsize_t[]){8, 8, 8, 5}, 0, NULL);
}

static void text_cube(const char *path)
{
    put(path, "x", H5T_C_S1, 4, (hsize_t[]){8, 8, 8, 4}, 0, NULL);
}

static void negative_count(const char *path)
{
    int16_t v[8 * 8 * 8 * 4] = {0};

    v[700] = -3;
    put(path, "x", H5T_STD_I16LE, 4, (hsize_t[]){8, 8, 8, 4}, H5T_NATIVE_INT16, v);
}

static void float_type(const char *path)
{
    float v[8 * 8 * 8 * 4] = {0};

    put(path, "x", H5T_IEEE_F32LE, 4, (hsize_t[]){8, 8, 8, 4}, H5T_NATIVE_FLOAT, v);
}

static void soft_link(const char *path)
{
    hid_t f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);

    H5Lmove(f, "x", f, "z", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/z", f, "x", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(f);
}

static void external_link(const char *path)
{
    without(path, "x");
    hid_t f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);

    H5Lcreate_external("other.hdf5", "/x", f, "x", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(f);
}

static void external_storage(const char *path)
{
    without(path, "x");
    hid_t f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), p = H5Pcreate(H5P_DATASET_CREATE);
    hid_t space = H5Screate_simple(4, (hsize_t[]){8, 8, 8, 4}, NULL);

    H5Pset_external(p, "/etc/passwd", 0, 4096);
    H5Dclose(H5Dcreate2(f, "x", H5T_STD_I16LE, space, H5P_DEFAULT, p, H5P_DEFAULT));
    H5Sclose(space);
    H5Pclose(p);
    H5Fclose(f);
}

/* From a file that would be waited for for ever. */
static void virtual(const char *path, const char *name, int rank, const hsize_t *dims, hid_t type)
{
    char fifo[300];

    snprintf(fifo, sizeof fifo, "%s/train/source.fifo", folder);
    mkfifo(fifo, 0666);
    without(path, name);
    hid_t f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), p = H5Pcreate(H5P_DATASET_CREATE);
    hid_t space = H5Screate_simple(rank, dims, NULL);
    H5Pset_virtual(p, space, fifo, name, space);
    H5Dclose(H5Dcreate2(f, name, type, space, H5P_DEFAULT, p, H5P_DEFAULT));
    H5Sclose(space);
    H5Pclose(p);
    H5Fclose(f);
}

static void virtual_cube(const char *path)
{
    virtual(path, "x", 4, (hsize_t[]){8, 8, 8, 4}, H5T_STD_I16LE);
}

static void virtual_labels(const char *path)
{
    virtual(path, "y", 1, (hsize_t[]){4}, H5T_IEEE_F32LE);
}

static void cut_short(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(truncate(path, st.st_size / 2), 0);
}

static void gone(const char *path)
{
    unlink(path);
}

static void a_folder(const char *path)
{
    unlink(path);
    mkdir(path, 0777);
}

static void a_fifo(const char *path)
{
    unlink(path);
    mkfifo(path, 0666);
}

static void no_hdf5(const char *path)
{
    FILE *f = fopen(path, "w");

    fputs("tea\n", f);
    fclose(f);
}

/* A whole file into which a byte fell. */
static void damaged_chunk(const char *path)
{
    fixture_write(folder, "train/two.hdf5",
                  &(struct fixture){.chunk = {8, 8, 8, 4}, .filter = deflated});
    hid_t f = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), set = H5Dopen2(f, "x", H5P_DEFAULT);
    haddr_t at = 0;
    hsize_t size;
    unsigned mask;

    H5Dget_chunk_info_by_coord(set, (hsize_t[]){0, 0, 0, 0}, &mask, &at, &size);
    H5Dclose(set);
    H5Fclose(f);
    int fd = open(path, O_RDWR);
    assert_int_equal(pwrite(fd, "\xff\xff\xff\xff", 4, (off_t)(at + size / 2)), 4);
    close(fd);
}

/* One bit of what fletcher32 sums up. */
static void wrong_sum(const char *path)
{
    int16_t v[8 * 8 * 8 * 4] = {0};
    const hsize_t at[4] = {0};
    haddr_t where = 0;
    hsize_t size;
    unsigned mask;

    fixture_write(folder, "train/two.hdf5",
                  &(struct fixture){.chunk = {8, 8, 8, 4}, .filter = summed});
    hid_t f = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), set = H5Dopen2(f, "x", H5P_DEFAULT);
    H5Dget_chunk_info_by_coord(set, at, &mask, &where, &size);
    assert_int_equal(size, sizeof v + 4);
    H5Dclose(set);
    H5Fclose(f);
    int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, v, 2, (off_t)where + 1000), 2);
    v[0] ^= 1;
    assert_int_equal(pwrite(fd, v, 2, (off_t)where + 1000), 2);
    close(fd);
}

/* What HDF5 reads past the end of: a chunk that inflates to a part of it. */
static void write_short(const char *path, const char *name)
{
    const hsize_t at[4] = {0};
    unsigned char packed[64];
    uLongf n = sizeof packed;

    assert_int_equal(compress(packed, &n, (const unsigned char *)"short", 5), Z_OK);
    hid_t f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), set = H5Dopen2(f, name, H5P_DEFAULT);
    assert_true(H5Dwrite_chunk(set, H5P_DEFAULT, 0, at, n, packed) >= 0);
    H5Dclose(set);
    H5Fclose(f);
}

static void short_chunk(const char *path)
{
    fixture_write(
        folder, "train/two.hdf5",
        &(struct fixture){.chunk = {8, 8, 8, 4}, .filter = checksummed, .type = H5T_STD_I16BE});
    write_short(path, "x");
}

static void short_chunk_of_labels(const char *path)
{
    chunked(path, "y", (hsize_t[]){4}, (hsize_t[]){4}, deflated);
    write_short(path, "y");
}

/* A compact set's own size, in the message that says how it is stored. */
static void say_compact(const char *path, uint16_t bytes)
{
    unsigned char file[65536], message[] = {3, 0, 0, 0x10};

    fixture_write(folder, "train/two.hdf5", &(struct fixture){.filter = compact});
    int fd = open(path, O_RDWR);
    ssize_t n = pread(fd, file, sizeof file, 0);
    unsigned char *found = memmem(file, (size_t)n, message, sizeof message);
    assert_non_null(found);
    assert_int_equal(pwrite(fd, &bytes, 2, found + 2 - file), 2);
    close(fd);
}

static void short_header(const char *path)
{
    say_compact(path, 1000);
}

static void empty_header(const char *path)
{
    say_compact(path, 0);
}

/* An int16 whose bits begin at bit 7: the datatype message of x. */
static void shifted_type(const char *path)
{
    unsigned char file[65536];
    static const unsigned char message[] = {0x10, 8, 0, 0, 2, 0, 0, 0, 0, 0, 16, 0};

    int fd = open(path, O_RDWR);
    ssize_t n = pread(fd, file, sizeof file, 0);
    unsigned char *found = memmem(file, (size_t)n, message, sizeof message);
    assert_non_null(found);
    assert_int_equal(pwrite(fd, "\x07", 1, found + 8 - file), 1);
    close(fd);
}

/* The superblock sends to a block of 4 GiB for a driver. */
static void a_driver(const char *path)
{
    int fd = open(path, O_RDWR);

    assert_int_equal(pwrite(fd, "\x78\x05\0\0\0\0\0\0", 8, 48), 8);
    close(fd);
}

static bool starts(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

#define NO_SET ": its dataset cannot be opened (HDF5: "

/* What HDF5 1.10 opens, and 1.14 refuses itself. */
static bool is_left_to_hdf5(void (*spoil)(const char *path))
{
    return spoil == endless_cube || spoil == shifted_type || spoil == empty_header ||
           spoil == short_header;
}

/* two.hdf5 is spoilt, one.hdf5 before it is good: what is found only when a
 * file is read has the same sentence as what is found at opening. */
static void bad_files_are_refused(void **state)
{
    static const struct {
        void (*spoil)(const char *path);
        const char *sentence; /* after the path; ends where HDF5's words begin */
    } rows[] = {
        {no_cube, ": dataset 'x' is missing"},
        {no_labels, ": dataset 'y' is missing"},
        {three_labels, ": dataset 'y' has 3 values, expected 4"},
        {integer_labels, ": dataset 'y' holds no floats"},
        {nan_labels, ": dataset 'y' has nan at 2, expected a finite number"},
        {flat_cube, ": dataset 'x' has 3 axes, expected 4"},
        {oblong_cube, ": dataset 'x' is (8,8,9,4), expected (D,D,D,4) with D from 4 to 1024"},
        {huge_cube,
         ": dataset 'x' is (1048576,1048576,1048576,4), expected (D,D,D,4) with D from 4 "
         "to 1024"},
        {endless_cube, ": dataset 'x' is (4611686018427387904,4611686018427387904,"
                       "4611686018427387904,4), expected (D,D,D,4) with D from 4 to 1024"},
        {endless_axis, NO_SET}, /* HDF5 counts to 2^63 - 1 */
        {endless_labels, NO_SET},
        {huge_chunk, ": dataset 'x' has chunks of more than 1073741824 bytes"},
        {huge_chunk_of_labels, ": dataset 'y' has chunks of 536870912 values, expected 4"},
        {wide_labels, ": dataset 'y' holds no floats"},
        {boasting_chunk, ": dataset 'x' is said to take 4294967280 bytes of a file of "},
        {foreign_filter, ": its values cannot be read (HDF5: "},
        {foreign_filter_of_labels, ": dataset 'y' has other filters than deflate, shuffle and "},
        {five_channels, ": dataset 'x' is (8,8,8,5), expected (D,D,D,4) with D from 4 to 1024"},
        {text_cube, ": dataset 'x' holds no numbers, expected int16 counts"},
        {negative_count, ": dataset 'x' has -3 in a cell, expected finite counts from 0"},
        {float_type, ": dataset 'x' is float32 of 8^3, expected int16 of 8^3 as before"},
        {soft_link, ": 'x' is a link, expected a dataset"},
        {external_link, ": 'x' is a link, expected a dataset"},
        {external_storage, ": dataset 'x' keeps its data in other files"},
        {virtual_cube, ": dataset 'x' keeps its data in other files"},
        {virtual_labels, ": dataset 'y' keeps its data in other files"},
        {cut_short, ": no HDF5 file, or a damaged one (HDF5: truncated file"},
        {gone, ": No such file or directory"},
        {a_folder, ": not a regular file"},
        {a_fifo, ": not a regular file"},
        {no_hdf5, ": no HDF5 file, or a damaged one"},
        {damaged_chunk, ": dataset 'x' is damaged at (0,0,0)"},
        {wrong_sum, ": dataset 'x' is damaged at (0,0,0)"},
        {short_chunk, ": dataset 'x' is damaged at (0,0,0)"},
        {short_chunk_of_labels, ": dataset 'y' is damaged at (0,0,0)"},
        {shifted_type, ": dataset 'x' has numbers that are wider than their 2 bytes"},
        {a_driver, ": for a driver of HDF5, expected one plain file"},
        {empty_header, ": dataset 'x' has 0 bytes, expected 4096"},
        {short_header, ": dataset 'x' has 1000 bytes, expected 4096"},
    };
    int16_t cube[8 * 8 * 8 * 4];
    char path[300];
    float y[4];

    (void)state;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    snprintf(path, sizeof path, "%s/train/two.hdf5", folder);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err e = ERR_INIT;
        fixture_write(folder, "train/one.hdf5", &(struct fixture){.sample = 1});
        fixture_write(folder, "train/two.hdf5", &(struct fixture){.sample = 2});
        struct dataset *d = dataset_open(folder, DATASET_TRAIN, 8, &e);
        assert_non_null(d);
        rows[i].spoil(path);
        assert_int_equal(dataset_read(d, 0, cube, y, NULL, &e), 0);
        if (dataset_read(d, 1, cube, y, NULL, &e) != -1)
            fail_msg("row %zu was taken", i);
        size_t at = strlen(path);
        bool said = starts(e.text + at, rows[i].sentence) ||
                    (is_left_to_hdf5(rows[i].spoil) && starts(e.text + at, NO_SET));
        if (strncmp(e.text, path, at) != 0 || !said)
            fail_msg("row %zu: '%s', expected '%s%s'", i, e.text, path, rows[i].sentence);
        dataset_close(d);
        remove(path);
    }
}

/* Whether plain HDF5, in a process of its own, reads the set with the plugin. */
static bool library_loads_it(const char *path)
{
    static int16_t v[8 * 8 * 8 * 4];
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        H5PLset_loading_state(H5PL_ALL_PLUGIN);
        H5PLappend(getenv("HDF5_PLUGIN_PATH"));
        hid_t f = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), set = H5Dopen2(f, "x", H5P_DEFAULT);
        herr_t rc = H5Dread(set, H5T_NATIVE_INT16, H5S_ALL, H5S_ALL, H5P_DEFAULT, v);
        _exit(rc >= 0 && getenv(FOREIGN_FILTER_RAN) ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    return status == 0;
}

/* HDF5_PLUGIN_PATH (main) names a folder with the very filter. */
static void no_filter_of_others_is_loaded(void **state)
{
    int16_t cube[8 * 8 * 8 * 4];
    char path[300];
    float y[4];
    struct err e = ERR_INIT;

    (void)state;
    fixture_write(folder, "train/one.hdf5", &(struct fixture){.sample = 1});
    fixture_write(folder, "train/two.hdf5", &(struct fixture){.sample = 2});
    snprintf(path, sizeof path, "%s/train/two.hdf5", folder);
    struct dataset *d = dataset_open(folder, DATASET_TRAIN, 8, &e);
    assert_non_null(d);
    foreign_filter(path);
    assert_int_equal(dataset_read(d, 1, cube, y, NULL, &e), -1);
    assert_non_null(strstr(e.text, "its values cannot be read"));
    assert_null(getenv(FOREIGN_FILTER_RAN));
    assert_true(library_loads_it(path)); /* or the above says nothing */
    no_hdf5(path); /* then HDF5 1.12 asks whoever is there, until one knows the file */
    assert_int_equal(dataset_read(d, 1, cube, y, NULL, &e), -1);
    assert_null(getenv(FOREIGN_FILTER_RAN));
    dataset_close(d);
}

static void float_cubes_are_finite(void **state)
{
    float v[8 * 8 * 8 * 4] = {0}, y[4];
    char path[300];
    struct err e = ERR_INIT;

    (void)state;
    fixture_write(folder, "train/one.hdf5", &(struct fixture){.type = H5T_IEEE_F32LE});
    snprintf(path, sizeof path, "%s/train/one.hdf5", folder);
    v[99] = INFINITY;
    put(path, "x", H5T_IEEE_F32LE, 4, (hsize_t[]){8, 8, 8, 4}, H5T_NATIVE_FLOAT, v);
    struct dataset *d = dataset_open(folder, DATASET_TRAIN, 0, &e);
    assert_non_null(d);
    assert_int_equal(dataset_read(d, 0, v, y, NULL, &e), -1);
    assert_non_null(strstr(e.text, "dataset 'x' has inf in a cell, expected finite counts from 0"));
    dataset_close(d);
}

static void bad_folders_are_refused(void **state)
{
    char want[400];
    struct err e = ERR_INIT;

    (void)state;
    assert_null(dataset_open("no/such/folder", DATASET_TRAIN, 8, &e));
    assert_string_equal(
        e.text,
        "no/such/folder/train: No such file or directory, expected a folder of .hdf5 files");
    assert_null(dataset_open(folder, DATASET_VALIDATION, 8, &e));
    snprintf(want, sizeof want, "%s/validation: no .hdf5 or .h5 file in it", folder);
    assert_string_equal(e.text, want);
    fixture_write(folder, "validation/a.h5", &(struct fixture){.edge = 8});
    assert_null(dataset_open(folder, DATASET_VALIDATION, 16, &e));
    snprintf(want, sizeof want,
             "%s/validation/a.h5: a cube of 8^3 cells, expected 16^3 or a multiple of it", folder);
    assert_string_equal(e.text, want);
    assert_null(dataset_open(folder, DATASET_VALIDATION, 4, &e));
    snprintf(want, sizeof want, "%s/validation/a.h5: samples of 8^3 cells, expected 4^3", folder);
    assert_string_equal(e.text, want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define ROW(t) cmocka_unit_test_setup_teardown(t, make_folder, remove_folder)
        ROW(any_storage_reads_alike),
        ROW(masked_filters_are_left_out),
        ROW(raw_cubes_are_cut),
        ROW(bad_files_are_refused),
        ROW(float_cubes_are_finite),
        ROW(bad_folders_are_refused),
        ROW(no_filter_of_others_is_loaded),
#undef ROW
    };

    setenv("HDF5_PLUGIN_PATH", FILTER_FOLDER, 1); /* before HDF5 looks for it */
    return cmocka_run_group_tests(tests, NULL, NULL);
}

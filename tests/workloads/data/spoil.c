/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "tests/workloads/data/spoil.h"

#include <assert.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "tests/workloads/data/fixture.h"

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_equal(int64_t have, int64_t want)
{
    check(have == want);
}

/* Ways to spoil train/one.hdf5. */
void spoil_without(const char *path, const char *name)
{
    hid_t f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);

    H5Ldelete(f, name, H5P_DEFAULT);
    H5Fclose(f);
}

void spoil_put(const char *path, const char *name, hid_t type, int rank, const hsize_t *dims,
               hid_t held, const void *data)
{
    spoil_without(path, name);
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
    spoil_without(path, "x");
}

static void no_labels(const char *path)
{
    spoil_without(path, "y");
}

static void three_labels(const char *path)
{
    spoil_put(path, "y", H5T_IEEE_F32LE, 1, (hsize_t[]){3}, H5T_NATIVE_FLOAT, (float[]){1, 2, 3});
}

static void nan_labels(const char *path)
{
    spoil_put(path, "y", H5T_IEEE_F32LE, 1, (hsize_t[]){4}, H5T_NATIVE_FLOAT,
              (float[]){0, 0, NAN, 0});
}

static void flat_cube(const char *path)
{
    spoil_put(path, "x", H5T_STD_I16LE, 3, (hsize_t[]){8, 8, 4}, 0, NULL);
}

static void oblong_cube(const char *path)
{
    spoil_put(path, "x", H5T_STD_I16LE, 4, (hsize_t[]){8, 8, 9, 4}, 0, NULL);
}

/* A set whose extent was changed after it was made, which asks for no room. */
static void chunked(const char *path, const char *name, const hsize_t *dims, const hsize_t *chunk,
                    void (*filter)(hid_t plist))
{
    const int rank = name[0] == 'x' ? 4 : 1;
    const hsize_t most[4] = {H5S_UNLIMITED, H5S_UNLIMITED, H5S_UNLIMITED, H5S_UNLIMITED};
    hid_t p = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(rank, chunk, most);

    spoil_without(path, name);
    hid_t f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    H5Pset_chunk(p, rank, chunk);
    if (filter)
        filter(p);
    hid_t set = H5Dcreate2(f, name, rank == 4 ? H5T_STD_I16LE : H5T_IEEE_F32LE, space, H5P_DEFAULT,
                           p, H5P_DEFAULT);
    check(set >= 0 && H5Dset_extent(set, dims) >= 0);
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
    check(found != NULL);
    for (size_t k = 0; k < 2; k++)
        check_equal(pwrite(fd, is, bytes, found + 8 + k * bytes - file), (ssize_t)bytes);
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

/* A chunk may be larger than its set: 2 GiB of numbers, filter_deflated to nothing. */
static void huge_chunk(const char *path)
{
    chunked(path, "x", (hsize_t[]){8, 8, 8, 4}, (hsize_t[]){1024, 1024, 256, 4}, filter_deflated);
}

static void huge_chunk_of_labels(const char *path)
{
    chunked(path, "y", (hsize_t[]){4}, (hsize_t[]){1 << 29}, filter_deflated);
}

static void wide_labels(const char *path)
{
    hid_t type = H5Tcopy(H5T_IEEE_F64LE);

    /* later ones do not make the largest */
    H5Tset_size(type, H5_VERSION_GE(1, 14, 0) ? 16 : 1 << 20);
    spoil_put(path, "y", type, 1, (hsize_t[]){4}, 0, NULL);
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

    fixture_write(".", path,
                  &(struct fixture){.chunk = {8, 8, 8, 4}, .filter = filter_checksummed});
    hid_t f = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), set = H5Dopen2(f, "x", H5P_DEFAULT);
    H5Dget_chunk_info_by_coord(set, at, &mask, &where, &size);
    H5Dclose(set);
    H5Fclose(f);
    memcpy(key, &(uint32_t){(uint32_t)size}, 4); /* then mask and corner, all 0 */
    int fd = open(path, O_RDWR);
    ssize_t n = pread(fd, file, sizeof file, 0);
    unsigned char *found = memmem(file, (size_t)n, key, sizeof key);
    check(found != NULL);
    check_equal(pwrite(fd, "\xf0\xff\xff\xff", 4, found - file), 4);
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

    spoil_without(path, name);
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

void spoil_foreign_filter(const char *path)
{
    with_filter(path, "x", 4, (hsize_t[]){8, 8, 8, 4}, H5T_STD_I16LE);
}

static void foreign_filter_of_labels(const char *path)
{
    with_filter(path, "y", 1, (hsize_t[]){4}, H5T_IEEE_F32LE);
}

static void five_channels(const char *path)
{
    spoil_put(path, "x", H5T_STD_I16LE, 4, (hsize_t[]){8, 8, 8, 5}, 0, NULL);
}

static void text_cube(const char *path)
{
    spoil_put(path, "x", H5T_C_S1, 4, (hsize_t[]){8, 8, 8, 4}, 0, NULL);
}

static void negative_count(const char *path)
{
    int16_t v[8 * 8 * 8 * 4] = {0};

    v[700] = -3;
    spoil_put(path, "x", H5T_STD_I16LE, 4, (hsize_t[]){8, 8, 8, 4}, H5T_NATIVE_INT16, v);
}

static void float_type(const char *path)
{
    float v[8 * 8 * 8 * 4] = {0};

    spoil_put(path, "x", H5T_IEEE_F32LE, 4, (hsize_t[]){8, 8, 8, 4}, H5T_NATIVE_FLOAT, v);
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
    spoil_without(path, "x");
    hid_t f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);

    H5Lcreate_external("other.hdf5", "/x", f, "x", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(f);
}

static void external_storage(const char *path)
{
    spoil_without(path, "x");
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

    snprintf(fifo, sizeof fifo, "%s.fifo", path);
    mkfifo(fifo, 0666);
    spoil_without(path, name);
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

    check_equal(stat(path, &st), 0);
    check_equal(truncate(path, st.st_size / 2), 0);
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

void spoil_no_hdf5(const char *path)
{
    FILE *f = fopen(path, "w");

    fputs("tea\n", f);
    fclose(f);
}

/* A whole file into which a byte fell. */
static void damaged_chunk(const char *path)
{
    fixture_write(".", path, &(struct fixture){.chunk = {8, 8, 8, 4}, .filter = filter_deflated});
    hid_t f = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), set = H5Dopen2(f, "x", H5P_DEFAULT);
    haddr_t at = 0;
    hsize_t size;
    unsigned mask;

    H5Dget_chunk_info_by_coord(set, (hsize_t[]){0, 0, 0, 0}, &mask, &at, &size);
    H5Dclose(set);
    H5Fclose(f);
    int fd = open(path, O_RDWR);
    check_equal(pwrite(fd, "\xff\xff\xff\xff", 4, (off_t)(at + size / 2)), 4);
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

    fixture_write(".", path, &(struct fixture){.chunk = {8, 8, 8, 4}, .filter = filter_summed});
    hid_t f = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), set = H5Dopen2(f, "x", H5P_DEFAULT);
    H5Dget_chunk_info_by_coord(set, at, &mask, &where, &size);
    check_equal(size, sizeof v + 4);
    H5Dclose(set);
    H5Fclose(f);
    int fd = open(path, O_RDWR);
    check_equal(pread(fd, v, 2, (off_t)where + 1000), 2);
    v[0] ^= 1;
    check_equal(pwrite(fd, v, 2, (off_t)where + 1000), 2);
    close(fd);
}

/* What HDF5 reads past the end of: a chunk that inflates to a part of it. */
static void write_short(const char *path, const char *name)
{
    const hsize_t at[4] = {0};
    unsigned char packed[64];
    uLongf n = sizeof packed;

    check_equal(compress(packed, &n, (const unsigned char *)"short", 5), Z_OK);
    hid_t f = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), set = H5Dopen2(f, name, H5P_DEFAULT);
    check(H5Dwrite_chunk(set, H5P_DEFAULT, 0, at, n, packed) >= 0);
    H5Dclose(set);
    H5Fclose(f);
}

static void short_chunk(const char *path)
{
    fixture_write(".", path,
                  &(struct fixture){
                      .chunk = {8, 8, 8, 4}, .filter = filter_checksummed, .type = H5T_STD_I16BE});
    write_short(path, "x");
}

static void short_chunk_of_labels(const char *path)
{
    chunked(path, "y", (hsize_t[]){4}, (hsize_t[]){4}, filter_deflated);
    write_short(path, "y");
}

/* A compact set's own size, in the message that says how it is stored. */
static void say_compact(const char *path, uint16_t bytes)
{
    unsigned char file[65536], message[] = {3, 0, 0, 0x10};

    fixture_write(".", path, &(struct fixture){.filter = filter_compact});
    int fd = open(path, O_RDWR);
    ssize_t n = pread(fd, file, sizeof file, 0);
    unsigned char *found = memmem(file, (size_t)n, message, sizeof message);
    check(found != NULL);
    check_equal(pwrite(fd, &bytes, 2, found + 2 - file), 2);
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
    check(found != NULL);
    check_equal(pwrite(fd, "\x07", 1, found + 8 - file), 1);
    close(fd);
}

/* The superblock sends to a block of 4 GiB for a driver. */
static void a_driver(const char *path)
{
    int fd = open(path, O_RDWR);

    check_equal(pwrite(fd, "\x78\x05\0\0\0\0\0\0", 8, 48), 8);
    close(fd);
}

#define NO_SET ": its dataset cannot be opened (HDF5: "

/* A known file of (8,8,8,4) int16 was read before. A sentence ends where HDF5's
 * words begin. */
static const struct spoil spoils[] = {
    {no_cube, ": dataset 'x' is missing"},
    {no_labels, ": dataset 'y' is missing"},
    {three_labels, ": dataset 'y' is (3), expected (4)"},
    {nan_labels, ": dataset 'y' has nan at [2], expected finite numbers"},
    {flat_cube, ": dataset 'x' has 3 axes, expected 4: (8,8,8,4)"},
    {oblong_cube, ": dataset 'x' is (8,8,9,4), expected (8,8,8,4)"},
    {huge_cube, ": dataset 'x' is (1048576,1048576,1048576,4), expected (8,8,8,4)"},
    {endless_cube,
     ": dataset 'x' is (4611686018427387904,4611686018427387904,4611686018427387904,4), "
     "expected (8,8,8,4)"},
    {endless_axis, NO_SET}, /* HDF5 counts to 2^63 - 1 */
    {endless_labels, NO_SET},
    {huge_chunk, ": dataset 'x' has chunks of more than 1073741824 bytes"},
    {huge_chunk_of_labels, ": dataset 'y' has chunks of more than 65536 values"},
    {wide_labels, ": dataset 'y' does not hold numbers of up to 8 bytes"},
    {boasting_chunk, ": dataset 'x' is said to take 4294967280 bytes of a file of "},
    {spoil_foreign_filter, ": its values cannot be read (HDF5: "},
    {foreign_filter_of_labels, ": dataset 'y' has other filters than deflate, shuffle and "},
    {five_channels, ": dataset 'x' is (8,8,8,5), expected (8,8,8,4)"},
    {text_cube, ": dataset 'x' does not hold numbers of up to 8 bytes"},
    {negative_count, ": dataset 'x' has -3 at [2][5][7][0], expected finite numbers from 0"},
    {float_type, ": dataset 'x' is float32, expected int16 as before"},
    {soft_link, ": 'x' is a link, expected a dataset"},
    {external_link, ": 'x' is a link, expected a dataset"},
    {external_storage, ": dataset 'x' keeps its data in other files"},
    {virtual_cube, ": dataset 'x' keeps its data in other files"},
    {virtual_labels, ": dataset 'y' keeps its data in other files"},
    {cut_short, ": not an HDF5 file, or a damaged one (HDF5: truncated file"},
    {gone, ": No such file or directory"},
    {a_folder, ": not a regular file"},
    {a_fifo, ": not a regular file"},
    {spoil_no_hdf5, ": not an HDF5 file, or a damaged one"},
    {damaged_chunk, ": dataset 'x' is damaged at [0][0][0][0]"},
    {wrong_sum, ": dataset 'x' is damaged at [0][0][0][0]"},
    {short_chunk, ": dataset 'x' is damaged at [0][0][0][0]"},
    {short_chunk_of_labels, ": dataset 'y' is damaged at [0]"},
    {shifted_type, ": dataset 'x' has numbers that are wider than their 2 bytes"},
    {a_driver, ": for a driver of HDF5, expected one plain file"},
    {empty_header, ": dataset 'x' has 0 bytes, expected 4096"},
    {short_header, ": dataset 'x' has 1000 bytes, expected 4096"},
};

const struct spoil *spoil_at(size_t i)
{
    return i < sizeof spoils / sizeof spoils[0] ? &spoils[i] : NULL;
}

/* What HDF5 1.10 opens, and 1.14 refuses itself. */
static bool is_left_to_hdf5(const struct spoil *s)
{
    return s->spoil == endless_cube || s->spoil == shifted_type || s->spoil == empty_header ||
           s->spoil == short_header;
}

bool spoil_is_said(const struct spoil *s, const char *after_path)
{
    return strncmp(after_path, s->sentence, strlen(s->sentence)) == 0 ||
           (is_left_to_hdf5(s) && strncmp(after_path, NO_SET, strlen(NO_SET)) == 0);
}

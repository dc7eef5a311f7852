/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/micro/samples.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/core/fdio.h"
#include "workloads/data/dataset.h"
#include "workloads/data/h5_image.h"
#include "workloads/data/h5file.h"
#include "workloads/micro/sample.h"

enum { PIECE = 1 << 20, ROWS = 512, ORDER_SAMPLES = 1 << 21 };

static const char *const names[] = {"raw sequential",  "raw shuffled",  "raw files",
                                    "hdf5 sequential", "hdf5 shuffled", "hdf5 files"};

const char *samples_name(enum samples_way way)
{
    return names[way];
}

bool samples_of_one(enum samples_way way)
{
    return way == SAMPLES_RAW_FILES || way == SAMPLES_HDF5_FILES;
}

/* ---- the numbers ---- */

/* Four numbers of a sample: 15 random bits each (splitmix64, Steele et al. 2014). */
static uint64_t four(uint64_t seed, int sample, int at)
{
    uint64_t z = seed + (((uint64_t)sample << 32) + (uint64_t)at + 1) * 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return (z ^ z >> 31) & 0x7fff7fff7fff7fff;
}

static int16_t number(uint64_t seed, int sample, int k)
{
    return (int16_t)(four(seed, sample, k / 4) >> (k % 4 * 16) & 0x7fff);
}

static void draw(uint64_t seed, int sample, int16_t *values)
{
    for (int k = 0; k < SAMPLE_VALUES; k++)
        values[k] = number(seed, sample, k);
}

/* values: of the sample from number `first` on; raw: as they lie in the file. */
static long compare(const struct samples *s, int sample, const int16_t *values, int first, int n,
                    bool raw, bool all)
{
    long wrong = 0;

    for (int k = 0; k < n; k += all ? 1 : (n - 1) / 2) { /* three of them */
        int16_t v = raw ? (int16_t)le16toh((uint16_t)values[k]) : values[k];
        wrong += v != number(s->seed, sample, first + k);
    }
    return wrong;
}

/* ---- the files ---- */

/* As the reader knows them: a dataset of whole numbers, with many samples or one. */
static const struct field fields[] = {{.name = "x",
                                       .title = "numbers",
                                       .axes = "yx",
                                       .size = {ROWS, SAMPLE_VALUES / ROWS},
                                       .least = 0,
                                       .greatest = FLT_MAX,
                                       .stored = NUMBER_INT16}};

static const struct layout layouts[] = {{.name = "many", .place = {{{"x"}, "nyx"}}},
                                        {.name = "one", .place = {{{"x"}, "yx"}}}};

static const struct science numbers = {.name = "micro",
                                       .title = "numbers to be read",
                                       .version = 1,
                                       .stem = "x",
                                       .fields = fields,
                                       .n_fields = 1,
                                       .layouts = layouts,
                                       .n_layouts = 2};

static const char *path_of(const struct samples *s, bool one, int i, char path[PATH_MAX])
{
    char name[FILES_NAME];

    snprintf(name, sizeof name, "%s/train/%05d.h5", one ? "one" : "many", i);
    return files_path(s->files, name, path);
}

static int files_of(const struct samples *s, bool one)
{
    return one ? s->n : s->n_many;
}

/* Samples first to first + n - 1 into one file; n 0: one, without the axis of samples. */
static int write_file(struct samples *s, bool one, int i, int first, int n, int16_t *values,
                      struct err *e)
{
    const uint64_t dims[] = {(uint64_t)n, ROWS, SAMPLE_VALUES / ROWS};
    char path[PATH_MAX], sha256[SHA256_HEX_SIZE];
    struct h5_image *f = h5_image_begin(e);
    uint64_t bytes;

    for (int k = 0; f && k < n; k++)
        draw(s->seed, first + k, values + (size_t)k * SAMPLE_VALUES);
    if (!f)
        return -1;
    h5_image_put(f, "x", NUMBER_INT16, one ? 2 : 3, one ? dims + 1 : dims, NULL, 0, values);
    return h5_image_write(f, path_of(s, one, i, path), sha256, &bytes, e);
}

static int write_files(struct samples *s, int16_t *values, struct err *e)
{
    static const char *const folders[] = {"many", "many/train", "one", "one/train"};
    char path[PATH_MAX];

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (mkdir(files_path(s->files, folders[i], path), 0777) < 0)
            return err_set(e, "%s: %s", path, strerror(errno));
    for (int i = 0, first = 0; first < s->n; i++, first += SAMPLES_FILE) {
        int n = s->n - first < SAMPLES_FILE ? s->n - first : SAMPLES_FILE;
        if (write_file(s, false, i, first, n, values, e) < 0)
            return -1;
    }
    for (int i = 0; i < s->n; i++)
        if (write_file(s, true, i, i, 1, values, e) < 0)
            return -1;
    return 0;
}

/* Where the numbers begin: HDF5 puts a contiguous dataset behind its headers. */
static int find_offset(const struct samples *s, bool one, off_t *at, struct err *e)
{
    struct h5_file file = {.open = false};
    struct h5_set set = {.open = false};
    char path[PATH_MAX];
    int rc = h5_open(&file, path_of(s, one, 0, path), 0, e);

    if (rc == 0)
        rc = h5_open_set(&set, &file, "x", e);
    if (rc == 0)
        rc = h5_storage(&set, false, 0, e);
    if (rc == 0 && set.how != H5_CONTIGUOUS)
        rc = err_set(e, "%s: HDF5 did not keep the numbers in one piece", path);
    *at = (off_t)set.offset;
    h5_close_set(&set);
    h5_close(&file);
    return rc;
}

int samples_make(struct samples *s, const struct files *files, int n, uint64_t seed, struct err *e)
{
    int16_t *values = malloc((size_t)SAMPLES_FILE * SAMPLE_BYTES);
    int rc;

    *s = (struct samples){
        .files = files, .seed = seed, .n = n, .n_many = (n + SAMPLES_FILE - 1) / SAMPLES_FILE};
    s->order = malloc((size_t)n * sizeof *s->order);
    s->room = aligned_alloc(4096, PIECE);
    rc = !values || !s->order || !s->room ? err_set(e, "out of memory for samples")
                                          : write_files(s, values, e);
    if (rc == 0 && (find_offset(s, false, &s->many, e) < 0 || find_offset(s, true, &s->one, e) < 0))
        rc = -1;
    free(values);
    if (rc < 0)
        samples_close(s);
    return rc;
}

void samples_close(struct samples *s)
{
    samples_shut(s);
    free(s->order);
    free(s->room);
    s->order = NULL;
    s->room = NULL;
}

int samples_drop(const struct samples *s, bool one, struct err *e)
{
    char path[PATH_MAX];

    for (int i = 0; i < files_of(s, one); i++)
        if (files_drop(path_of(s, one, i, path), e) < 0)
            return -1;
    return 0;
}

double samples_resident(const struct samples *s, bool one)
{
    struct files_pages p = {0};
    char path[PATH_MAX];

    for (int i = 0; i < files_of(s, one); i++)
        files_count(path_of(s, one, i, path), &p);
    return files_part(&p);
}

/* ---- passes ---- */

static int refuse(const char *path, struct err *e)
{
    return err_set(e, "%s: %s", path, errno ? strerror(errno) : "it is shorter than it was");
}

/* n bytes from `at` on, of file i. Its path is made for a sentence only: that would cost a
 * fiftieth of a sample out of memory. */
static int read_at(const struct samples *s, int fd, bool one, int i, size_t n, off_t at,
                   struct err *e)
{
    char path[PATH_MAX];

    for (size_t got = 0; got < n;) {
        errno = 0;
        ssize_t k = pread(fd, (char *)s->room + got, n - got, at + (off_t)got);
        if (k <= 0 && errno != EINTR)
            return refuse(path_of(s, one, i, path), e);
        got += k > 0 ? (size_t)k : 0;
    }
    return 0;
}

/* Files of many, all of them. The system is told how they will be read, as every reader
 * may: it then fetches further ahead, or just the sample in one piece. */
static int open_many(struct samples *s, struct err *e)
{
    const int how = s->way == SAMPLES_RAW_SEQUENTIAL ? POSIX_FADV_SEQUENTIAL : POSIX_FADV_RANDOM;
    char path[PATH_MAX];

    s->fds = malloc((size_t)s->n_many * sizeof *s->fds);
    if (!s->fds)
        return err_set(e, "out of memory for files");
    for (int i = 0; i < s->n_many; i++)
        s->fds[i] = -1;
    for (int i = 0; i < s->n_many; i++) {
        s->fds[i] = open(path_of(s, false, i, path), O_RDONLY | O_CLOEXEC);
        if (s->fds[i] < 0)
            return refuse(path, e);
        posix_fadvise(s->fds[i], 0, 0, how);
    }
    return 0;
}

/* Reads the first sample of each file of many, so that the reader has opened it. */
static int open_set(struct samples *s, bool one, struct err *e)
{
    char path[PATH_MAX];

    s->set = dataset_open(files_path(s->files, one ? "one" : "many", path), DATASET_TRAIN, &numbers,
                          NULL, e);
    if (!s->set)
        return -1;
    const struct dataset_info *info = dataset_info(s->set);
    if (info->samples != (uint64_t)s->n || info->sample_bytes > PIECE)
        return err_set(e, "%s: the reader finds %llu samples of %zu bytes", path,
                       (unsigned long long)info->samples, info->sample_bytes);
    for (int i = 0; i < s->n && !one; i += SAMPLES_FILE)
        if (dataset_read(s->set, (uint64_t)i, s->room, NULL, e) < 0)
            return -1;
    return 0;
}

int samples_open(struct samples *s, enum samples_way way, struct err *e)
{
    int rc = 0;

    s->way = way;
    if (way >= SAMPLES_HDF5_SEQUENTIAL)
        rc = open_set(s, samples_of_one(way), e);
    else if (!samples_of_one(way))
        rc = open_many(s, e);
    if (rc < 0)
        samples_shut(s);
    return rc;
}

void samples_shut(struct samples *s)
{
    for (int i = 0; s->fds && i < s->n_many; i++)
        if (s->fds[i] >= 0)
            close(s->fds[i]);
    free(s->fds);
    s->fds = NULL;
    dataset_close(s->set);
    s->set = NULL;
}

/* One file of many from its first sample to its last, in large pieces. */
static int stream(struct samples *s, int i, long *wrong, bool all, struct err *e)
{
    int first = i * SAMPLES_FILE, last = first + SAMPLES_FILE < s->n ? first + SAMPLES_FILE : s->n;
    int rc = 0;

    for (int k = first; rc == 0 && k < last; k += PIECE / SAMPLE_BYTES) {
        int n = last - k < PIECE / SAMPLE_BYTES ? last - k : PIECE / SAMPLE_BYTES;
        rc = read_at(s, s->fds[i], false, i, (size_t)n * SAMPLE_BYTES,
                     s->many + (off_t)(k - first) * SAMPLE_BYTES, e);
        for (int j = 0; rc == 0 && j < n; j++)
            *wrong +=
                compare(s, k + j, s->room + (size_t)j * SAMPLE_VALUES, 0, SAMPLE_VALUES, true, all);
    }
    return rc;
}

static int raw_sequential(struct samples *s, long *wrong, bool all, struct err *e)
{
    for (int i = 0; i < s->n_many; i++)
        if (stream(s, i, wrong, all, e) < 0)
            return -1;
    return 0;
}

/* Sample i of a file of its own, which is opened for it. */
static int raw_file(struct samples *s, int i, struct err *e)
{
    char path[PATH_MAX];
    int fd = open(path_of(s, true, i, path), O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return refuse(path, e);
    int rc = read_at(s, fd, true, i, SAMPLE_BYTES, s->one, e);
    close(fd);
    return rc;
}

static int raw_of_many(struct samples *s, int i, struct err *e)
{
    const int file = i / SAMPLES_FILE;

    return read_at(s, s->fds[file], false, file, SAMPLE_BYTES,
                   s->many + (off_t)(i % SAMPLES_FILE) * SAMPLE_BYTES, e);
}

/* Sample i by the way that is open. */
static int read_one(struct samples *s, int i, struct err *e)
{
    if (s->set)
        return dataset_read(s->set, (uint64_t)i, s->room, NULL, e);
    return s->way == SAMPLES_RAW_FILES ? raw_file(s, i, e) : raw_of_many(s, i, e);
}

static int pass(struct samples *s, long *wrong, bool all, struct err *e)
{
    const bool shuffled = s->way != SAMPLES_HDF5_SEQUENTIAL;

    if (s->way == SAMPLES_RAW_SEQUENTIAL)
        return raw_sequential(s, wrong, all, e);
    sample_order(s->order, s->n, s->seed, ORDER_SAMPLES, s->pass++);
    for (int k = 0; k < s->n; k++) {
        int i = shuffled ? s->order[k] : k;
        if (read_one(s, i, e) < 0)
            return -1;
        *wrong += compare(s, i, s->room, 0, SAMPLE_VALUES, !s->set, all);
    }
    return 0;
}

int samples_pass(struct samples *s, long *wrong, struct err *e)
{
    return pass(s, wrong, false, e);
}

int samples_check(struct samples *s, long *wrong, struct err *e)
{
    return pass(s, wrong, true, e);
}

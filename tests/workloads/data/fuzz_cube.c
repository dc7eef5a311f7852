/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whatever bytes a file of cubes holds: it is refused with a sentence, or
 * read to counts and labels that are what they must be, the same twice, and
 * never more memory than the file could ask for. HDF5 itself is the system's,
 * not instrumented; chunks that only it decodes (szip, nbit, scaleoffset, behind
 * a user block) are not read here, its decoders trust the file. The corpus is
 * written when it starts: valid files of both layouts and every other storage.
 *
 * links: workloads/data/cube.c workloads/data/chunk.c workloads/data/inflate.c
 * links: tests/workloads/data/fixture.c lib:reports/core pkg:hdf5 pkg:zlib opt:libdeflate
 * runs: -max_len=65536 -timeout=60 -rss_limit_mb=2048 -malloc_limit_mb=2000000000
 * runs: -fork=1 -ignore_crashes=1
 * forgives: libhdf5
 *
 * Files that HDF5 itself does not survive (a chunk of no size in a header ends
 * 1.10.8 with SIGFPE as it opens the set) belong to cube.c, if anything there
 * could refuse them before HDF5 sees them, else to tests/README.md (T19).
 */
#include <config.h>

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/workloads/data/fixture.h"
#include "tests/fuzz.h"
#include "workloads/data/cube.h"

enum { EDGE = 4, MOST = 16 /* larger cubes are not read: the same code, but slow */ };

int LLVMFuzzerInitialize(int *argc, char ***argv);

static int file = -1;
static char path[256];

static void shuffled(hid_t p)
{
    H5Pset_shuffle(p);
    H5Pset_deflate(p, 4);
}

static void deflated(hid_t p)
{
    H5Pset_deflate(p, 6);
}

static void checksummed(hid_t p)
{
    H5Pset_deflate(p, 1);
    H5Pset_fletcher32(p);
}

static void compact(hid_t p)
{
    H5Pset_layout(p, H5D_COMPACT);
}

/* $FUZZ_FOLDER/seeds takes the valid files, $FUZZ_FOLDER/input what is tried. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const struct fixture seeds[] = {
        {.edge = EDGE},
        {.edge = EDGE, .raw = true},
        {.edge = EDGE, .chunk = {4, 4, 4, 4}},
        {.edge = EDGE, .chunk = {4, 4, 4, 4}, .filter = deflated},
        {.edge = EDGE, .chunk = {3, 4, 2, 4}, .filter = shuffled},
        {.edge = 2 * EDGE, .raw = true, .chunk = {5, 8, 8, 4}, .filter = deflated},
        {.edge = EDGE, .chunk = {4, 4, 4, 4}, .filter = checksummed},
        {.edge = EDGE, .filter = compact},
        {.edge = EDGE, .type = H5T_IEEE_F32BE},
        {.edge = EDGE, .type = H5T_IEEE_F64LE, .chunk = {4, 4, 4, 2}, .filter = shuffled},
        {.edge = EDGE, .type = H5T_STD_U8LE},
    };
    const char *folder = getenv("FUZZ_FOLDER");

    (void)argc, (void)argv;
    must(folder != NULL, "FUZZ_FOLDER=...");
    for (size_t i = 0; i < sizeof seeds / sizeof seeds[0]; i++) {
        char name[32];
        snprintf(name, sizeof name, "seeds/%02zu.hdf5", i);
        fixture_write(folder, name, &seeds[i]);
    }
    snprintf(path, sizeof path, "%s/input", folder);
    file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    must(file >= 0, "a file to try");
    return 0;
}

/* Values as dataset.h promises them. */
static void check_values(const struct cube_shape *s, const void *cube, const float *y)
{
    const size_t n = (size_t)s->edge * (size_t)s->edge * (size_t)s->edge * COSMO_CHANNELS;

    for (int i = 0; i < DATASET_LABELS; i++)
        must(isfinite(y[i]), "labels are finite");
    for (size_t i = 0; i < n; i++)
        if (s->type == DATASET_INT16)
            must(((const int16_t *)cube)[i] >= 0, "counts are not negative");
        else
            must(((const float *)cube)[i] >= 0 && isfinite(((const float *)cube)[i]),
                 "counts are finite and not negative");
}

/* Puts a cube together from what a sink is given. */
struct planes {
    char *cube;
    size_t bytes; /* of a plane */
};

static void take_planes(void *arg, const void *cells, int first, int n)
{
    const struct planes *p = arg;

    memmove(p->cube + (size_t)first * p->bytes, cells, (size_t)n * p->bytes);
}

static void read_all(const struct cube_shape *s, uint64_t size)
{
    const size_t bytes =
        (size_t)s->edge * (size_t)s->edge * (size_t)s->edge * COSMO_CHANNELS * sizeof(float);
    const int per = s->whole / s->edge;
    struct chunk_scratch scratch[2] = {{0}, {0}};
    char *cube[] = {calloc(1, bytes), calloc(1, bytes)}; /* ASan guards their ends */
    float y[2][DATASET_LABELS];
    struct planes planes = {cube[1], (size_t)s->edge * (size_t)s->edge * COSMO_CHANNELS *
                                         (s->type == DATASET_INT16 ? 2 : 4)};
    const struct cube_sink sink = {take_planes, &planes};

    for (int part = 0; part < per * per * per; part++) {
        int rc[2];
        for (int k = 0; k < 2; k++) {
            struct err e = ERR_INIT;
            uint64_t read = 0;
            rc[k] = cube_read(path, s, part, size, &scratch[k], cube[k], k ? &sink : NULL, y[k],
                              &read, &e);
            must((rc[k] < 0) == (e.text[0] != '\0'), "a refusal says why");
            if (rc[k] == 0)
                check_values(s, cube[k], y[k]);
        }
        must(rc[0] == rc[1], "the same answer twice");
        must(rc[0] < 0 || memcmp(y[0], y[1], sizeof y[0]) == 0, "the same labels twice");
        must(rc[0] < 0 || memcmp(cube[0], cube[1], bytes) == 0, "the same cube twice");
    }
    for (int k = 0; k < 2; k++) {
        chunk_scratch_fini(&scratch[k]);
        free(cube[k]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cube_shape s = {0};
    struct err e = ERR_INIT;

    if (size == 0 || ftruncate(file, 0) < 0 || pwrite(file, data, size, 0) != (ssize_t)size)
        return 0;
    if (cube_probe(path, &s, &e) < 0) {
        must(e.text[0] != '\0', "a refusal says why");
        return 0;
    }
    must(s.whole >= 4 && s.whole <= DATASET_MAX_EDGE, "edges have bounds");
    s.edge = s.layout == DATA_RAW && s.whole % EDGE == 0 ? EDGE : s.whole;
    if (s.whole <= MOST && !s.by_library)
        read_all(&s, size);
    return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whatever bytes a file of samples holds: it is refused with a sentence, or read
 * to values that are what its science's table says, the same twice and by a
 * sink, and never more memory than the file could ask for. Every science is
 * tried on it, and one that is made up of what published layouts have. HDF5
 * itself is the system's, not instrumented; chunks that only it decodes (szip,
 * nbit, scaleoffset, behind a user block) are not read here, its decoders trust
 * the file. The corpus is written when it starts: valid files of every layout
 * and every other storage.
 *
 * links: workloads/data/chunk.c workloads/data/chunk_cache.c workloads/data/h5file.c
 * links: workloads/data/h5read.c workloads/data/inflate.c workloads/data/sample.c
 * links: workloads/data/sample_check.c workloads/data/sample_read.c workloads/data/science.c
 * links: workloads/data/science_*.c
 * links: tests/workloads/data/fixture.c tests/workloads/data/made_up.c
 * links: lib:reports/core pkg:hdf5 pkg:zlib opt:libdeflate
 * runs: -max_len=65536 -timeout=60 -rss_limit_mb=2048 -malloc_limit_mb=2000000000
 * runs: -fork=1 -ignore_crashes=1
 * forgives: libhdf5
 *
 * Files that HDF5 itself does not survive (a chunk of no size in a header ends
 * 1.10.8 with SIGFPE as it opens the set) belong to h5file.c, if anything there
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
#include "tests/workloads/data/made_up.h"
#include "tests/fuzz.h"
#include "workloads/data/sample.h"

enum { EDGE = 4, MOST = 65536 /* bytes; larger samples are not read: the same code, but slow */ };
enum { SAMPLES = 12 /* that are read of a file */ };

int LLVMFuzzerInitialize(int *argc, char ***argv);

static int file = -1;
static char path[256];

/* $FUZZ_FOLDER/seeds takes the valid files, $FUZZ_FOLDER/input what is tried. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const struct fixture cubes[] = {
        {.edge = EDGE},
        {.edge = EDGE, .raw = true},
        {.edge = EDGE, .chunk = {4, 4, 4, 4}},
        {.edge = EDGE, .chunk = {4, 4, 4, 4}, .filter = filter_deflated},
        {.edge = EDGE, .chunk = {3, 4, 2, 4}, .filter = filter_shuffled},
        {.edge = 2 * EDGE, .raw = true, .chunk = {5, 8, 8, 4}, .filter = filter_deflated},
        {.edge = EDGE, .chunk = {4, 4, 4, 4}, .filter = filter_checksummed},
        {.edge = EDGE, .filter = filter_compact},
        {.edge = EDGE, .type = H5T_IEEE_F32BE},
        {.edge = EDGE, .type = H5T_IEEE_F64LE, .chunk = {4, 4, 4, 2}, .filter = filter_shuffled},
        {.edge = EDGE, .type = H5T_STD_U8LE},
    };
    const struct made_file others[] = {
        {.n = 3},
        {.n = 5, .chunk = 2, .filter = filter_shuffled},
        {.n = 5, .chunk = 2, .rows = 3, .image = H5T_STD_U8LE, .other = H5T_STD_I64BE},
        {.n = 2, .image = H5T_IEEE_F64BE, .no_weight = true, .columns = true},
        {.layout = "events", .n = 3},
        {.layout = "events", .n = 4, .chunk = 3, .filter = filter_all_three},
        {.layout = "single"},
        {.layout = "single", .image = H5T_STD_I16BE, .no_weight = true},
    };
    const char *folder = getenv("FUZZ_FOLDER");
    char name[32];

    (void)argc, (void)argv;
    must(folder != NULL, "FUZZ_FOLDER=...");
    for (size_t i = 0; i < sizeof cubes / sizeof cubes[0]; i++) {
        snprintf(name, sizeof name, "seeds/%02zu.hdf5", i);
        fixture_write(folder, name, &cubes[i]);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        snprintf(name, sizeof name, "seeds/made_%02zu.h5", i);
        made_up_write(folder, name, &others[i]);
    }
    snprintf(path, sizeof path, "%s/input", folder);
    file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    must(file >= 0, "a file to try");
    return 0;
}

/* Values as the table promises them. */
static void check_values(const struct sample_form *form, const void *sample)
{
    for (int k = 0; k < form->science->n_fields; k++) {
        const struct field *field = &form->science->fields[k];
        const struct dataset_field *f = &form->field[k];
        const void *values = (const char *)sample + f->offset;
        for (uint64_t i = 0; i < f->values; i++) {
            const double v = f->type == NUMBER_INT16 ? ((const int16_t *)values)[i]
                                                     : (double)((const float *)values)[i];
            must(isfinite(v), "values are finite");
            must(v >= field->least && v <= field->greatest, "values are in their range");
            must(!field->whole || v == trunc(v), "whole numbers are");
        }
    }
}

/* Puts field 0 together from what a sink is given. */
struct slabs {
    char *to;
    size_t bytes; /* of a slab */
};

static int take_slab(void *arg, const void *sample, const void *values, long first, long n,
                     struct err *e)
{
    const struct slabs *p = arg;

    (void)sample, (void)e;
    memmove(p->to + (size_t)first * p->bytes, values, (size_t)n * p->bytes);
    return 0;
}

static long slowest(const struct dataset_field *f)
{
    long n = 1, stride = 0;

    for (int j = 0; j < f->rank; j++)
        if (f->stride[j] > stride) {
            stride = f->stride[j];
            n = f->dims[j];
        }
    return n;
}

/* Alone; by a sink, with a cache. */
static int read_once(const struct sample_file *f, const struct sample_form *form, uint64_t part,
                     struct chunk_scratch *scratch, struct chunk_cache *cache, bool sinks,
                     char *sample)
{
    const struct dataset_field *first = &form->field[0];
    const size_t bytes =
        (size_t)first->values * (first->type == NUMBER_INT16 ? sizeof(int16_t) : sizeof(float));
    struct slabs slabs = {sample + first->offset, bytes / (size_t)slowest(first)};
    const struct dataset_sink sink = {take_slab, &slabs};
    struct sample_reading r = {.part = part, .scratch = scratch, .cache = cache};
    struct err e = ERR_INIT;

    int rc = sample_read_rest(f, form, &r, sample, &e);
    if (rc == 0)
        rc = sample_read_first(f, form, &r, sample, sinks ? &sink : NULL, &e);
    must((rc < 0) == (e.text[0] != '\0'), "a refusal says why");
    if (rc == 0)
        check_values(form, sample);
    return rc;
}

static void read_all(const struct sample_file *f, const struct sample_form *form)
{
    struct chunk_cache *cache = chunk_cache_create(1 << 20, NULL);

    for (uint64_t part = 0; part < f->samples && part < SAMPLES; part++) {
        struct chunk_scratch scratch[2] = {{0}, {0}};
        char *sample[2]; /* ASan guards their ends */
        int rc[2];
        for (int k = 0; k < 2; k++) {
            sample[k] = aligned_alloc(64, form->bytes);
            memset(sample[k], 0, form->bytes);
            rc[k] = read_once(f, form, part, &scratch[k], k && form->parts == 0 ? cache : NULL,
                              k == 1, sample[k]);
        }
        /* Read with its neighbours it may be refused for their sake. */
        must(rc[0] == rc[1] || (rc[0] == 0 && form->parts == 0), "the same answer twice");
        must(rc[0] < 0 || rc[1] < 0 || memcmp(sample[0], sample[1], form->bytes) == 0,
             "the same sample twice");
        for (int k = 0; k < 2; k++) {
            chunk_scratch_fini(&scratch[k]);
            free(sample[k]);
        }
    }
    chunk_cache_destroy(cache);
}

static bool by_library(const struct sample_file *f)
{
    for (int k = 0; k < SCIENCE_FIELDS; k++)
        for (int part = 0; part < SCIENCE_PARTS; part++)
            if (f->set[k][part].open && f->set[k][part].chunked &&
                f->set[k][part].how == H5_BY_LIBRARY)
                return true;
    return false;
}

static void try_science(const struct science *s, const struct data_class *c, size_t size)
{
    struct sample_form form;
    struct sample_file f;
    struct err e = ERR_INIT;
    uint64_t bytes;

    if (sample_probe(&f, path, size, s, c, &form, &e) < 0) {
        must_be_sentence(e.text);
        return;
    }
    must(f.samples >= 1 && f.samples <= INT32_MAX, "samples have bounds");
    must(sample_sharing(&f, &form, &bytes) >= 1, "a sample shares with itself");
    if (form.bytes <= MOST && !by_library(&f))
        read_all(&f, &form);
    sample_close(&f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct data_class edge = {.size = {0, EDGE, EDGE, EDGE}};
    const struct science *s;

    if (size == 0 || ftruncate(file, 0) < 0 || pwrite(file, data, size, 0) != (ssize_t)size)
        return 0;
    for (int i = 0; (s = science_at(i)); i++) {
        try_science(s, NULL, size);
        try_science(s, &edge, size); /* raw cubes are cut */
    }
    try_science(&made_up, NULL, size);
    return 0;
}

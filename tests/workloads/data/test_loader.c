/* SPDX-License-Identifier: BSD-3-Clause */
/* The same global batches on any number of ranks; a queue that never hangs. */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "reports/core/clock.h"
#include "tests/workloads/data/fixture.h"
#include "workloads/data/loader.h"
#include "workloads/data/science_cosmo.h"

enum { EDGE = 4, SAMPLES = 23, VALUES = EDGE * EDGE * EDGE * 4, EPOCHS = 3 };

static char folder[256];

static int make_set(void **state)
{
    (void)state;
    fixture_folder(folder);
    fixture_set(folder, "train", SAMPLES, EDGE);
    return 0;
}

static int remove_set(void **state)
{
    (void)state;
    fixture_remove(folder);
    return 0;
}

static struct dataset *open_set(void)
{
    struct err e = ERR_INIT;
    struct dataset *d = dataset_open(folder, DATASET_TRAIN, &science_cosmo, NULL, &e);

    if (!d)
        fail_msg("%s", e.text);
    return d;
}

/* log(1 + count), rolled along the first axis by a function of (seed, id, epoch)
 * where symmetries are wanted; may take slabs. */
static int make(const void *ctx, const struct loader_sample *in, float *const out[], struct err *e)
{
    const struct dataset_field *f = &in->info->field[COSMO_X];
    const long plane = EDGE * EDGE * 4;
    const long roll = in->augment ? (long)((in->seed + in->id * 7 + in->epoch) % EDGE) : 0;

    (void)ctx;
    (void)e;
    assert_true(f->type == NUMBER_INT16 && f->stride[0] == plane && f->stride[3] == 1);
    for (long p = 0; p < in->count; p++)
        for (long k = 0; k < plane; k++)
            out[0][(in->first + p + roll) % EDGE * plane + k] =
                (float)log1p(((const int16_t *)in->field[COSMO_X])[p * plane + k]);
    memcpy(out[1], in->field[COSMO_Y], 4 * sizeof(float));
    return 0;
}

#define FEED                                                                                       \
    {                                                                                              \
        .n = 2, .floats = {VALUES, 4}, .slabs = true, .make = make                                 \
    }

/* All that one loader delivers in EPOCHS epochs, by position in the order. */
struct delivered {
    uint64_t ids[EPOCHS][SAMPLES];
    float x[EPOCHS][SAMPLES][VALUES];
    float y[EPOCHS][SAMPLES][4];
    long steps[EPOCHS];
    int empty; /* batches of no sample */
};

static void collect(const struct loader_options *o, struct delivered *all)
{
    struct err e = ERR_INIT;
    struct loader *l = loader_create(o, &e);
    struct loader_batch b;
    int got;

    assert_non_null(l);
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        all->steps[epoch] = 0;
        while ((got = loader_next(l, &b, &e)) > 0) {
            assert_int_equal(b.epoch, (uint64_t)epoch);
            assert_int_equal(b.step, all->steps[epoch]++);
            assert_true(b.n <= loader_max_n(l));
            all->empty += b.n == 0;
            for (int i = 0; i < b.n; i++) {
                long at = b.first + i;
                all->ids[epoch][at] = b.ids[i];
                memcpy(all->x[epoch][at], b.feed[0] + i * VALUES, sizeof all->x[epoch][at]);
                memcpy(all->y[epoch][at], b.feed[1] + i * 4, sizeof all->y[epoch][at]);
            }
        }
        assert_int_equal(got, 0);
        assert_int_equal(all->steps[epoch], loader_steps(l));
    }
    loader_destroy(l);
}

/* An epoch is a permutation, epochs and seeds differ, values are what make() says,
 * whole or by slabs. */
static void one_rank_delivers_every_sample(void **state)
{
    struct dataset *d = open_set();
    struct delivered *a = calloc(1, sizeof *a), *b = calloc(1, sizeof *b);
    struct loader_options o = {.data = d,
                               .feed = FEED,
                               .size = 1,
                               .batch = 5,
                               .seed = 9,
                               .shuffle = true,
                               .now = clock_now};

    (void)state;
    collect(&o, a);
    o.feed.slabs = false;
    collect(&o, b);
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        bool seen[SAMPLES] = {0};
        for (int i = 0; i < SAMPLES; i++) {
            int id = (int)a->ids[epoch][i];
            assert_false(seen[id]);
            seen[id] = true;
            for (int v = 0; v < VALUES; v++) {
                int count = value_at(id, v / 64, v / 16 % 4, v / 4 % 4, v % 4);
                float want = (float)log1p(count);
                assert_true(b->x[epoch][i][v] == want);
                assert_true(a->x[epoch][i][v] == want);
            }
            assert_true(a->y[epoch][i][2] == label_at(id, 2));
        }
    }
    assert_memory_equal(a->ids, b->ids, sizeof a->ids);
    assert_memory_not_equal(a->ids[0], a->ids[1], sizeof a->ids[0]);
    o.seed = 10;
    collect(&o, b);
    assert_memory_not_equal(a->ids[0], b->ids[0], sizeof a->ids[0]);
    free(a);
    free(b);
    dataset_close(d);
}

/* N ranks = 1 rank, with an uneven last batch that leaves a rank nothing, with
 * and without symmetries, with samples kept or read again. */
static void ranks_share_the_batches_of_one(void **state)
{
    static const struct {
        long batch;
        bool augment, keep, shuffle;
    } rows[] = {
        {7, false, false, true},  {11, true, false, true}, {22, true, true, true},
        {100, false, true, true}, {4, false, true, false},
    };
    struct delivered *one = calloc(1, sizeof *one), *many = calloc(1, sizeof *many);
    struct dataset *d = open_set();

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct loader_options o = {.data = d,
                                   .feed = FEED,
                                   .size = 1,
                                   .batch = rows[i].batch,
                                   .seed = 4,
                                   .shuffle = rows[i].shuffle,
                                   .augment = rows[i].augment,
                                   .now = clock_now};
        collect(&o, one);
        for (o.size = 2; o.size <= 4; o.size++) {
            memset(many, 0, sizeof *many);
            o.keep_bytes = rows[i].keep ? 1 << 20 : 0;
            for (o.rank = 0; o.rank < o.size; o.rank++)
                collect(&o, many);
            assert_memory_equal(one->ids, many->ids, sizeof one->ids);
            assert_memory_equal(one->x, many->x, sizeof one->x);
            assert_memory_equal(one->y, many->y, sizeof one->y);
            /* 23 = 22 + 1: the last step's sample is one rank's */
            assert_int_equal(many->empty, rows[i].batch == 22 || rows[i].batch == 11
                                              ? EPOCHS * (o.size - 1)
                                          : rows[i].batch == 7 && o.size > 2 ? EPOCHS * (o.size - 2)
                                          : rows[i].batch == 4 && o.size == 4 ? EPOCHS
                                                                              : 0);
        }
        o.rank = 0;
    }
    free(one);
    free(many);
    dataset_close(d);
}

/* Neither order nor values depend on how many workers there are, read or
 * kept; a sample kept by two at once is kept once. */
static void workers_change_nothing(void **state)
{
    struct delivered *one = calloc(1, sizeof *one), *many = calloc(1, sizeof *many);
    struct dataset *d = open_set();

    (void)state;
    for (int row = 0; row < 12; row++) {
        struct loader_options o = {.data = d,
                                   .feed = FEED,
                                   .size = 1 + row % 3,
                                   .batch = (const long[]){1, 7, 11, 100}[row % 4],
                                   .seed = 4,
                                   .shuffle = row % 2,
                                   .augment = row % 5 > 1,
                                   .keep_bytes = row % 4 > 1 ? 1 << 20 : 0,
                                   .now = clock_now};
        o.rank = o.size - 1;
        memset(one, 0, sizeof *one);
        collect(&o, one);
        for (o.workers = 2; o.workers <= 5; o.workers++) {
            o.ahead = o.workers; /* epochs meet in the queue */
            memset(many, 0, sizeof *many);
            collect(&o, many);
            assert_memory_equal(one, many, sizeof *one);
        }
    }
    free(one);
    free(many);
    dataset_close(d);
}

/* Samples that share chunks: a permutation in which the samples of a window of
 * chunks are mixed, and those of no two windows. Without shuffling, as they are;
 * without groups, all are mixed. */
static void chunks_are_mixed_by_windows(void **state)
{
    enum { GROUPS = 13, MOST = 9, WINDOW = 4 };
    uint64_t starts[GROUPS + 1] = {0}, order[2][GROUPS * MOST], group[GROUPS];
    struct dataset_info info = {
        .groups = GROUPS, .group_start = starts, .group_bytes = (48 << 20) / WINDOW};

    (void)state;
    for (uint64_t g = 0; g < GROUPS; g++) /* the last chunk of a file is shorter */
        starts[g + 1] = starts[g] + (g % 5 == 4 ? 2 : MOST);
    info.samples = starts[GROUPS];
    for (uint64_t epoch = 0; epoch < 20; epoch++) {
        uint64_t last_window[GROUPS] = {0}, n = 0, mixed = 0;
        bool seen[GROUPS * MOST] = {false};
        loader_order(&info, 5, epoch, true, order[epoch % 2], group);
        for (uint64_t w = 0; w < GROUPS; w += WINDOW) { /* windows of the new sequence */
            uint64_t inside = 0;
            for (uint64_t g = w; g < GROUPS && g < w + WINDOW; g++)
                inside += starts[group[g] + 1] - starts[group[g]];
            for (uint64_t i = 0; i < inside; i++, n++) {
                const uint64_t id = order[epoch % 2][n];
                uint64_t g = 0;
                assert_true(id < info.samples && !seen[id]);
                seen[id] = true;
                while (starts[g + 1] <= id)
                    g++;
                assert_true(last_window[g] == 0 || last_window[g] == w + 1);
                last_window[g] = w + 1;
                mixed += n > 0 && id != order[epoch % 2][n - 1] + 1;
            }
        }
        assert_int_equal(n, info.samples);
        assert_true(mixed > info.samples / 2);
        if (epoch > 0)
            assert_memory_not_equal(order[0], order[1], sizeof order[0]);
    }
    loader_order(&info, 5, 3, false, order[0], group);
    for (uint64_t i = 0; i < info.samples; i++)
        assert_int_equal(order[0][i], i);
}

/* What is kept is not read again, and the statistics say so. */
static void kept_samples_are_counted_apart(void **state)
{
    struct dataset *d = open_set();
    struct loader_options o = {
        .data = d, .feed = FEED, .size = 1, .batch = 23, .shuffle = true, .now = clock_now};
    struct err e = ERR_INIT;
    struct loader_batch b;
    struct loader_stats s;

    (void)state;
    for (int keep = 0; keep < 2; keep++) {
        /* one byte too few keeps nothing */
        o.keep_bytes = SAMPLES * dataset_info(d)->sample_bytes - (keep ? 0 : 1);
        struct loader *l = loader_create(&o, &e);
        for (int epoch = 0; epoch < 4; epoch++)
            while (loader_next(l, &b, &e) > 0)
                ;
        loader_stats(l, &s);
        assert_int_equal(s.samples, 4 * SAMPLES);
        assert_int_equal(s.keeping, keep);
        /* cubes and labels */
        assert_true(s.read_bytes ==
                    s.read_samples * (VALUES * sizeof(int16_t) + 4 * sizeof(float)));
        if (keep)
            assert_int_equal(s.read_samples, SAMPLES);
        else
            assert_int_equal(s.kept_samples, 0);
        assert_true(s.one.samples + s.more.samples == (double)s.read_samples);
        assert_true(s.one.bytes + s.more.bytes == (double)s.read_bytes);
        assert_true(s.find_seconds > 0 && s.find_seconds <= s.read.seconds);
        assert_true(s.read.seconds > 0 && s.convert.seconds > 0 && s.wait_seconds >= 0);
        assert_true(s.kept_bytes == s.kept_samples * dataset_info(d)->sample_bytes);
        loader_destroy(l);
    }
    dataset_close(d);
}

/* What blocks and what the consumer does, as the workers see it. */
static struct {
    atomic_int inside, most; /* workers in make() that came while the consumer computes; most */
    atomic_bool computing;
} blocking;

/* Takes 10 ms in which it wants no core, as a read from a slow disk does. */
static int make_blocking(const void *ctx, const struct loader_sample *in, float *const out[],
                         struct err *e)
{
    const int counts = atomic_load(&blocking.computing);
    const int now = atomic_fetch_add(&blocking.inside, counts) + counts;

    if (now > atomic_load(&blocking.most))
        atomic_store(&blocking.most, now);
    nanosleep(&(struct timespec){0, 10000000}, NULL);
    atomic_fetch_sub(&blocking.inside, counts);
    return make(ctx, in, out, e);
}

/* The consumer computes until several workers were seen in make() at once, which one worker
 * alone never does; workers that sleep take no core from it. */
static void workers_that_block_run_ahead(void **state)
{
    struct dataset *d = open_set();
    struct loader_options o = {.data = d,
                               .feed = FEED,
                               .size = 1,
                               .batch = 5,
                               .ahead = 4,
                               .workers = 3,
                               .shuffle = true,
                               .now = clock_now};
    struct err e = ERR_INIT;
    struct loader_batch b;
    const double bound = clock_now() + 240;

    (void)state;
    o.feed.make = make_blocking;
    struct loader *l = loader_create(&o, &e);
    assert_non_null(l);
    while (atomic_load(&blocking.most) < 2 && clock_now() < bound) {
        atomic_store(&blocking.computing, false);
        assert_true(loader_next(l, &b, &e) >= 0);
        nanosleep(&(struct timespec){0, 10000000}, NULL); /* who helped it has begun by now */
        atomic_store(&blocking.computing, true);
        nanosleep(&(struct timespec){0, 50000000}, NULL);
    }
    assert_true(atomic_load(&blocking.most) >= 2);
    loader_destroy(l);
    dataset_close(d);
}

/* A run that goes on from (epoch, step) sees what the first would have. */
static void a_cursor_resumes(void **state)
{
    struct dataset *d = open_set();
    struct loader_options o = {.data = d,
                               .feed = FEED,
                               .size = 1,
                               .batch = 5,
                               .seed = 3,
                               .shuffle = true,
                               .augment = true,
                               .now = clock_now};
    struct delivered *all = calloc(1, sizeof *all);
    struct err e = ERR_INIT;
    struct loader_batch b;

    (void)state;
    collect(&o, all);
    o.epoch = 2;
    o.step = 3;
    struct loader *l = loader_create(&o, &e);
    assert_int_equal(loader_next(l, &b, &e), 1);
    assert_int_equal(b.epoch, 2);
    assert_int_equal(b.step, 3);
    assert_int_equal(b.first, 15);
    assert_memory_equal(b.feed[0], all->x[2][15], 5 * sizeof all->x[2][15]);
    assert_int_equal(loader_next(l, &b, &e), 1);
    assert_int_equal(b.n, 3);
    assert_int_equal(loader_next(l, &b, &e), 0);
    loader_destroy(l);
    o.step = 5; /* at the end of an epoch that nobody has closed */
    l = loader_create(&o, &e);
    assert_int_equal(loader_steps(l), 5);
    assert_int_equal(loader_next(l, &b, &e), 0);
    assert_int_equal(loader_next(l, &b, &e), 1);
    assert_int_equal(b.epoch, 3);
    assert_int_equal(b.step, 0);
    loader_destroy(l);
    free(all);
    dataset_close(d);
}

/* Destroying joins at any moment: full queue, batch in hand, never asked. */
static void destroy_joins(void **state)
{
    struct dataset *d = open_set();
    struct loader_options o = {
        .data = d, .feed = FEED, .size = 1, .batch = 2, .shuffle = true, .now = clock_now};
    struct err e = ERR_INIT;
    struct loader_batch b;

    (void)state;
    for (int i = 0; i < 40; i++) {
        o.ahead = 1 + i % 3;
        o.workers = 1 + i % 4;
        struct loader *l = loader_create(&o, &e);
        for (int k = 0; k < i % 5; k++)
            assert_int_equal(loader_next(l, &b, &e), 1);
        if (i % 4 == 0)
            usleep(2000);
        loader_destroy(l);
    }
    loader_destroy(NULL);
    o.batch = 0;
    assert_null(loader_create(&o, &e));
    assert_string_equal(e.text, "batch 0 of 23 samples: expected 1 to 2147483647 of each");
    dataset_close(d);
}

/* What is written to stderr from here to said(). */
static int hush(FILE **to)
{
    fflush(stderr);
    *to = tmpfile();
    int was = dup(STDERR_FILENO);
    assert_true(*to && was >= 0 && dup2(fileno(*to), STDERR_FILENO) >= 0);
    return was;
}

static off_t said(int was, FILE *to)
{
    fflush(stderr);
    off_t n = lseek(STDERR_FILENO, 0, SEEK_END);
    dup2(was, STDERR_FILENO);
    close(was);
    fclose(to);
    return n;
}

static void spoil(const char *name, bool gone, char path[300])
{
    snprintf(path, 300, "%s/train/%s", folder, name);
    assert_int_equal(unlink(path), 0);
    FILE *f = gone ? NULL : fopen(path, "w");
    if (f) {
        fputs("tea\n", f);
        fclose(f);
    }
}

/* A bad file comes up at its own batch, and stays; of several in a batch the
 * first, whichever worker is faster. HDF5 says nothing of its own. */
static void a_bad_file_surfaces(void **state)
{
    struct dataset *d = open_set();
    struct err e = ERR_INIT;
    struct loader_batch b;
    char path[300], other[300], want[400];
    FILE *to;

    (void)state;
    spoil("s012.hdf5", false, path);
    spoil("s013.hdf5", true, other);
    spoil("s017.hdf5", true, other);
    snprintf(want, sizeof want, "%s: not an HDF5 file, or a damaged one (HDF5: ", path);
    for (int row = 0; row < 40; row++) {
        struct loader_options o = {
            .data = d, .feed = FEED, .size = 1, .batch = 5, .now = clock_now};
        o.workers = 1 + row % 5;
        o.ahead = 1 + row % 4;
        int was = hush(&to);
        struct loader *l = loader_create(&o, &e);
        int got[] = {loader_next(l, &b, &e), loader_next(l, &b, &e)};
        for (int i = 0; i < 2; i++) {
            e.text[0] = '\0';
            assert_int_equal(loader_next(l, &b, &e), -1);
            assert_true(strncmp(e.text, want, strlen(want)) == 0);
        }
        loader_destroy(l);
        assert_int_equal(said(was, to), 0);
        assert_true(got[0] == 1 && got[1] == 1);
    }
    dataset_close(d);
}

/* What several readers gain over one, and when that is said. */
static void the_gain_of_several_readers(void **state)
{
    const struct loader_stats begun = {.one = {100, 9, 1e6, 100}, .more = {100, 9, 1e6, 300}};
    struct loader_stats now = begun;

    (void)state;
    now.one = (struct loader_reads){120, 9 + 2, 1e6 + 20e6, 120};   /* 10 MB/s */
    now.more = (struct loader_reads){140, 9 + 12, 1e6 + 40e6, 420}; /* 3 at 3.33 MB/s each */
    assert_true(fabs(loader_gain(&begun, &now) - 1) < 1e-6);
    now.more.seconds = 9 + 4; /* 3 at 10 MB/s each */
    assert_true(fabs(loader_gain(&begun, &now) - 3) < 1e-6);
    now.more.samples = 100 + LOADER_READS - 1;
    assert_true(isnan(loader_gain(&begun, &now)));
    now.more.samples = 140;
    now.one.samples = 100 + LOADER_READS - 1;
    assert_true(isnan(loader_gain(&begun, &now)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_rank_delivers_every_sample),
        cmocka_unit_test(ranks_share_the_batches_of_one),
        cmocka_unit_test(workers_change_nothing),
        cmocka_unit_test(chunks_are_mixed_by_windows),
        cmocka_unit_test(kept_samples_are_counted_apart),
        cmocka_unit_test(the_gain_of_several_readers),
        cmocka_unit_test(workers_that_block_run_ahead),
        cmocka_unit_test(a_cursor_resumes),
        cmocka_unit_test(destroy_joins),
        cmocka_unit_test(a_bad_file_surfaces),
    };

    return cmocka_run_group_tests(tests, make_set, remove_set);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* A chunk of many samples is decoded once, whoever asks, and what is kept has a
 * bound. */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/workloads/data/fixture.h"
#include "tests/workloads/data/made_up.h"
#include "workloads/data/chunk.h"
#include "workloads/data/chunk_cache.h"
#include "workloads/data/dataset.h"

enum { BYTES = 1000, THREADS = 4 };

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

/* Makes the bytes of a key, some of them slowly, or not at all. */
struct maker {
    struct chunk_key key;
    unsigned sleep_us;
    bool fail;
};

static int make(void *arg, void *to, size_t bytes, struct err *e)
{
    const struct maker *m = arg;

    if (m->sleep_us)
        usleep(m->sleep_us);
    if (m->fail)
        return err_set(e, "no chunk %d", (int)m->key.chunk);
    memset(to, (int)(m->key.file * 31 + m->key.set * 7 + m->key.chunk), bytes);
    return 0;
}

/* Takes a chunk, looks at it and gives it back. */
static void use(struct chunk_cache *c, uint64_t file, uint64_t set, uint64_t chunk)
{
    struct maker m = {.key = {file, set, chunk}};
    struct chunk_held *h = chunk_cache_take(c, &m.key, BYTES, make, &m, NULL);

    assert_non_null(h);
    for (size_t i = 0; i < BYTES; i++)
        assert_int_equal(((const unsigned char *)chunk_held_data(h))[i],
                         (unsigned char)(file * 31 + set * 7 + chunk));
    chunk_cache_give(c, h);
}

static void what_is_there_is_not_made_again(void **state)
{
    struct chunk_cache *c = chunk_cache_create(4 * BYTES, NULL);

    (void)state;
    for (int round = 0; round < 3; round++) {
        use(c, 1, 0, 7);
        use(c, 1, 7, 0);
        use(c, 2, 0, 7);
        use(c, 2, 0, UINT64_MAX);
    }
    assert_int_equal(chunk_cache_made(c), 4);
    assert_int_equal(chunk_cache_bytes(c), 4 * BYTES);
    chunk_cache_destroy(c);
    chunk_cache_destroy(NULL);
}

static void those_longest_unused_go_first(void **state)
{
    struct chunk_cache *c = chunk_cache_create(3 * BYTES + BYTES / 2, NULL);

    (void)state;
    use(c, 0, 0, 1);
    use(c, 0, 0, 2);
    use(c, 0, 0, 3);
    use(c, 0, 0, 1); /* now 2 is the oldest */
    use(c, 0, 0, 4);
    assert_int_equal(chunk_cache_made(c), 4);
    assert_int_equal(chunk_cache_bytes(c), 3 * BYTES);
    use(c, 0, 0, 1);
    use(c, 0, 0, 3);
    assert_int_equal(chunk_cache_made(c), 4);
    use(c, 0, 0, 2);
    assert_int_equal(chunk_cache_made(c), 5);
    chunk_cache_destroy(c);
}

/* What is held stays, and may be more than the bound; then it shrinks. */
static void what_is_held_stays(void **state)
{
    struct chunk_cache *c = chunk_cache_create(2 * BYTES, NULL);
    struct chunk_held *h[5];

    (void)state;
    for (uint64_t i = 0; i < 5; i++) {
        struct maker m = {.key = {0, 0, i}};
        h[i] = chunk_cache_take(c, &m.key, BYTES, make, &m, NULL);
    }
    for (uint64_t i = 0; i < 5; i++)
        assert_int_equal(*(const unsigned char *)chunk_held_data(h[i]), i);
    assert_int_equal(chunk_cache_bytes(c), 5 * BYTES);
    for (int i = 0; i < 5; i++)
        chunk_cache_give(c, h[i]);
    assert_int_equal(chunk_cache_bytes(c), 2 * BYTES);
    use(c, 0, 0, 4);
    use(c, 0, 0, 3);
    assert_int_equal(chunk_cache_made(c), 5);
    chunk_cache_destroy(c);
}

static void what_cannot_be_made_says_why(void **state)
{
    struct chunk_cache *c = chunk_cache_create(2 * BYTES, NULL);
    struct maker m = {.key = {0, 0, 5}, .fail = true};
    struct err e = ERR_INIT;

    (void)state;
    assert_null(chunk_cache_take(c, &m.key, BYTES, make, &m, &e));
    assert_string_equal(e.text, "no chunk 5");
    assert_int_equal(chunk_cache_bytes(c), 0);
    use(c, 0, 0, 5); /* is tried again */
    assert_int_equal(chunk_cache_made(c), 1);
    chunk_cache_destroy(c);
}

struct asker {
    struct chunk_cache *cache;
    pthread_barrier_t *start;
    bool fail;
    int refused;
};

static void *ask(void *arg)
{
    struct asker *a = arg;

    for (uint64_t i = 0; i < 50; i++) {
        struct maker m = {.key = {0, 0, i}, .sleep_us = 200, .fail = a->fail};
        struct err e = ERR_INIT;
        pthread_barrier_wait(a->start);
        struct chunk_held *h = chunk_cache_take(a->cache, &m.key, BYTES, make, &m, &e);
        if (h)
            chunk_cache_give(a->cache, h);
        else
            a->refused += e.text[0] != '\0';
    }
    return NULL;
}

/* All ask for the same chunk at the same moment. */
static void threads_wait_for_each_other(void **state)
{
    (void)state;
    for (int fail = 0; fail < 2; fail++) {
        struct chunk_cache *c = chunk_cache_create(2 * BYTES, NULL);
        struct asker askers[THREADS];
        pthread_t threads[THREADS];
        pthread_barrier_t start;
        pthread_barrier_init(&start, NULL, THREADS);
        for (int i = 0; i < THREADS; i++) {
            askers[i] = (struct asker){c, &start, fail, 0};
            assert_int_equal(pthread_create(&threads[i], NULL, ask, &askers[i]), 0);
        }
        for (int i = 0; i < THREADS; i++) {
            pthread_join(threads[i], NULL);
            assert_int_equal(askers[i].refused, fail ? 50 : 0);
        }
        assert_int_equal(chunk_cache_made(c), fail ? 0 : 50);
        assert_int_equal(chunk_cache_bytes(c), fail ? 0 : 2 * BYTES);
        pthread_barrier_destroy(&start);
        chunk_cache_destroy(c);
    }
}

/* A set of more than is kept: one deflated chunk, written again and again. A
 * quarter of a MiB decoded for each sample, 8 in a chunk, 96 chunks. */
enum { SIDE = 256, SHARE = 8, CHUNKS = 96, SAMPLES = SHARE * CHUNKS };

static void write_large(void)
{
    const hsize_t dims[] = {SAMPLES, SIDE, SIDE}, chunk[] = {SHARE, SIDE, SIDE};
    const struct made_set one = {"x",
                                 H5T_IEEE_F32LE,
                                 H5T_NATIVE_FLOAT,
                                 3,
                                 {SHARE, SIDE, SIDE},
                                 {SHARE, SIDE, SIDE},
                                 filter_deflated};
    float *v = calloc(SHARE * SIDE * SIDE, sizeof *v);
    char path[300];
    hsize_t at[3] = {0}, size = 0;
    unsigned mask = 0;

    for (int s = 0; s < SHARE; s++)
        v[s * SIDE * SIDE] = (float)(s + 1);
    snprintf(path, sizeof path, "%s/train/large.h5", folder);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    made_up_put(file, &one, v);
    free(v);
    hid_t set = H5Dopen2(file, "x", H5P_DEFAULT);
    H5Dget_chunk_storage_size(set, at, &size);
    void *stored = malloc(size);
    assert_true(H5Dread_chunk(set, H5P_DEFAULT, at, &mask, stored) >= 0);
    H5Dclose(set);
    H5Ldelete(file, "x", H5P_DEFAULT);
    hid_t p = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(3, dims, NULL);
    H5Pset_chunk(p, 3, chunk);
    filter_deflated(p);
    set = H5Dcreate2(file, "x", H5T_IEEE_F32LE, space, H5P_DEFAULT, p, H5P_DEFAULT);
    for (at[0] = 0; at[0] < SAMPLES; at[0] += SHARE)
        assert_true(H5Dwrite_chunk(set, H5P_DEFAULT, mask, at, size, stored) >= 0);
    free(stored);
    H5Dclose(set);
    H5Sclose(space);
    H5Pclose(p);
    H5Fclose(file);
}

static const struct field large_field = {
    .name = "x", .title = "x", .axes = "yx", .least = 0, .greatest = 100, .stored = NUMBER_FLOAT};
static const struct layout large_layout = {.name = "only", .place = {{{"x"}, "nyx"}}};
static const struct science large = {.name = "large",
                                     .title = "large images",
                                     .fields = &large_field,
                                     .n_fields = 1,
                                     .layouts = &large_layout,
                                     .n_layouts = 1};

/* n numbers in an order that is random, and the same every time. */
static void shuffle(uint64_t *v, uint64_t n)
{
    static uint64_t r = 1;

    for (uint64_t i = n; i-- > 1;) {
        r = r * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        const uint64_t j = (r >> 33) % (i + 1), t = v[i];
        v[i] = v[j];
        v[j] = t;
    }
}

/* Groups in a random order, samples in one within windows that are kept. */
static void order_of_groups(const struct dataset_info *info, uint64_t *order)
{
    const uint64_t window = DATASET_CACHE_BYTES / 2 / info->group_bytes;
    uint64_t group[CHUNKS], n = 0;

    assert_int_equal(info->groups, CHUNKS);
    for (uint64_t g = 0; g < CHUNKS; g++)
        group[g] = g;
    shuffle(group, CHUNKS);
    for (uint64_t g = 0; g < CHUNKS; g += window) {
        const uint64_t first = n;
        for (uint64_t k = g; k < g + window && k < CHUNKS; k++)
            for (uint64_t i = info->group_start[group[k]]; i < info->group_start[group[k] + 1]; i++)
                order[n++] = i;
        shuffle(order + first, n - first);
    }
    assert_int_equal(n, SAMPLES);
}

static uint64_t decoded_by(struct dataset *d, const uint64_t *order, void *sample)
{
    const uint64_t before = dataset_decoded(d);
    struct err e = ERR_INIT;

    for (int i = 0; i < SAMPLES; i++) {
        if (dataset_read(d, order[i], sample, NULL, &e) < 0)
            fail_msg("%s", e.text);
        assert_true(*(const float *)sample == (float)(order[i] % SHARE + 1));
    }
    return dataset_decoded(d) - before;
}

/* Each chunk once in stored order and in that of groups; but in an order that
 * knows no groups, most samples decode one. */
static void chunks_are_decoded_once_an_epoch(void **state)
{
    uint64_t order[SAMPLES];
    struct err e = ERR_INIT;

    (void)state;
    write_large();
    struct dataset *d = dataset_open(folder, DATASET_TRAIN, &large, NULL, &e);
    if (!d)
        fail_msg("%s", e.text);
    const struct dataset_info *info = dataset_info(d);
    void *sample = aligned_alloc(64, info->sample_bytes);
    assert_int_equal(info->group_bytes, SHARE * info->sample_bytes);
    assert_true(CHUNKS * info->group_bytes > DATASET_CACHE_BYTES * 5 / 4);
    for (uint64_t i = 0; i < SAMPLES; i++)
        order[i] = i;
    assert_int_equal(decoded_by(d, order, sample), CHUNKS);
    for (int epoch = 0; epoch < 2; epoch++) {
        order_of_groups(info, order);
        assert_true(decoded_by(d, order, sample) <= CHUNKS);
    }
    for (uint64_t i = 0; i < SAMPLES; i++)
        order[i] = i;
    shuffle(order, SAMPLES);
    assert_true(decoded_by(d, order, sample) > 2 * CHUNKS);
    free(sample);
    dataset_close(d);
}

/* Several threads on one open set, each its share of an epoch. */
struct reader {
    const struct dataset *d;
    int rank;
    _Atomic int *wrong;
};

static void *read_share(void *arg)
{
    const struct reader *r = arg;
    _Alignas(64) char sample[2048];
    struct chunk_scratch scratch = {0};

    for (uint64_t i = (uint64_t)r->rank; i < 3 * 40; i += THREADS)
        if (dataset_read_with(r->d, &scratch, i, sample, NULL, NULL, NULL) < 0 ||
            dataset_value(dataset_info(r->d), sample, MADE_UP_IMAGE, 7) !=
                made_up_image((int)i, 0, 0, 7) ||
            dataset_value(dataset_info(r->d), sample, MADE_UP_LABEL, 0) != made_up_label((int)i))
            (*r->wrong)++;
    chunk_scratch_fini(&scratch);
    return NULL;
}

static void threads_share_an_open_set(void **state)
{
    struct reader readers[THREADS];
    pthread_t threads[THREADS];
    _Atomic int wrong = 0;
    char name[32];
    struct err e = ERR_INIT;

    (void)state;
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "train/%d.h5", i);
        made_up_write(
            folder, name,
            &(struct made_file){.n = 40, .first = 40 * i, .chunk = 8, .filter = filter_shuffled});
    }
    struct dataset *d = dataset_open(folder, DATASET_TRAIN, &made_up, NULL, &e);
    assert_non_null(d);
    for (int i = 0; i < THREADS; i++) {
        readers[i] = (struct reader){d, i, &wrong};
        assert_int_equal(pthread_create(&threads[i], NULL, read_share, &readers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(wrong, 0);
    /* 5 chunks of images, 4 of masks, labels and weights whole, of 3 files */
    assert_int_equal(dataset_decoded(d), 3 * (5 + 4 + 2));
    dataset_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define ROW(t) cmocka_unit_test_setup_teardown(t, make_folder, remove_folder)
        ROW(what_is_there_is_not_made_again),
        ROW(those_longest_unused_go_first),
        ROW(what_is_held_stays),
        ROW(what_cannot_be_made_says_why),
        ROW(threads_wait_for_each_other),
        ROW(chunks_are_decoded_once_an_epoch),
        ROW(threads_share_an_open_set),
#undef ROW
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

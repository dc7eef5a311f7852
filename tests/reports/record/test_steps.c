/* SPDX-License-Identifier: BSD-3-Clause */
/* The steps file: what is written is read again, what is wrong is refused, what is
 * large is bounded. */
#include <config.h>

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/record/steps_column.h"
#include "reports/record/steps_keep.h"
#include "tests/unit.h"

enum { TICKS_A_SECOND = 10000000 };

static const double ms = 1e-3;

/* A step of 20 ms with `buckets` waits; every figure hangs on step and rank. */
static struct steps_row make_row(long step, int rank, int buckets)
{
    struct steps_row row = {
        .step = (double)step,
        .begin = 3600 + 0.02 * (double)step + 1e-4 * rank,
        .agree = step % 25 ? 0 : 0.3 * ms,
        .other = 0.01 * ms,
        .input = (double)(step % 7) * 0.1 * ms,
        .own = 15 * ms + (double)(step * 31 % 11) * 0.01 * ms + rank * 0.2 * ms,
        .exchange_cpu = 0.4 * ms,
        .withheld = step % 3 ? 0 : 1.1 * ms,
        .tail = 0.05 * ms,
        .late = 0,
        .length = 20 * ms,
        .last_ready = 16 * ms,
        .last_rank = (double)(step % 2),
        .buckets = buckets,
        .queue = (double)(step % 3),
        .reading = (double)(step % 2),
        .converting = 1,
    };

    for (int b = 0; b < STEPS_MAX_BUCKETS; b++) {
        const bool there = b < buckets;
        row.start[b] = there ? (10 + b) * ms : NAN;
        row.half[b] = there && step % 5 ? (16.5 + b) * ms : NAN;
        row.wait_begin[b] = there ? (16 + b) * ms : NAN;
        row.wait_end[b] = there ? (17 + b) * ms : NAN;
    }
    return row;
}

static void assert_same(double a, double b, const char *what, long step)
{
    if (isnan(a) && isnan(b))
        return;
    if (!(fabs(a - b) <= 0.51 / TICKS_A_SECOND))
        fail_msg("%s of step %ld: %.9f, not %.9f", what, step, b, a);
}

static void assert_rows(const struct steps_row *a, const struct steps_row *b)
{
#define STEP(name, kind, title) assert_same(a->name, b->name, #name, (long)a->step);
#define STEP_BUCKET(name, kind, title)                                                             \
    for (int i = 0; i < STEPS_MAX_BUCKETS; i++)                                                    \
        assert_same(a->name[i], b->name[i], #name, (long)a->step);
#include "reports/record/steps.def"
}

/* A block of n rows from `first` on, into the set. */
static void add_block(struct steps_set *s, int workload, int rank, int epoch, long first, int n,
                      int buckets)
{
    struct steps_row *rows = calloc((size_t)n + 1, sizeof *rows);
    struct steps_block b = {.workload = workload, .rank = rank, .epoch = epoch, .rows = n};
    struct err e = ERR_INIT;

    for (int i = 0; i < n; i++)
        rows[i] = make_row(first + i, rank, buckets);
    snprintf(b.node, sizeof b.node, "n%d", rank / 2 + 1);
    void *bytes = steps_pack(rows, n, buckets, &b.bytes, &e);
    if (!bytes)
        fail_msg("%s", e.text);
    assert_int_equal(steps_set_block(s, &b, bytes), 0);
    free(bytes);
    free(rows);
}

static struct steps_set *make_set(void)
{
    static const struct steps_workload cosmo = {"cosmoflow", 4, 1, 2, 64, 128, 1},
                                       hep = {"hep", 4, 5, 1, 16, 128, 1};
    struct steps_set *s = steps_set_create();

    assert_int_equal(steps_set_workload(s, &cosmo), 0);
    assert_int_equal(steps_set_workload(s, &hep), 1);
    for (int rank = 0; rank < 4; rank++)
        for (int epoch = 1; epoch <= 2; epoch++)
            add_block(s, 0, rank, epoch, (epoch - 1) * 64, 64, 1);
    add_block(s, 1, 3, 1, 0, 16, 5);
    return s;
}

/* The set as a file in memory; free() it. */
static char *bytes_of(const struct steps_set *s, size_t *size)
{
    char path[] = "/tmp/hpcai500-steps.XXXXXX";
    const int fd = mkstemp(path);
    struct err e = ERR_INIT;
    struct stat st;

    assert_true(fd >= 0);
    unlink(path);
    if (steps_set_write(s, "lab-4711.0.3", fd, &e) < 0)
        fail_msg("%s", e.text);
    assert_int_equal(fstat(fd, &st), 0);
    *size = (size_t)st.st_size;
    char *bytes = malloc(*size + 1);
    assert_int_equal(pread(fd, bytes, *size, 0), st.st_size);
    close(fd);
    return bytes;
}

static void test_round_trip(void **state)
{
    struct steps_set *s = make_set();
    struct steps_row rows[64];
    struct err e = ERR_INIT;
    size_t size;
    int n;

    (void)state;
    char *bytes = bytes_of(s, &size);
    struct steps_file *f = steps_file_of(bytes, size, "x", &e);
    if (!f)
        fail_msg("%s", e.text);
    assert_string_equal(steps_file_id(f), "lab-4711.0.3");
    const struct steps_workload *w = steps_file_workloads(f, &n);
    assert_int_equal(n, 2);
    assert_string_equal(w[1].name, "hep");
    assert_int_equal(w[0].steps_per_epoch, 64);
    const struct steps_block *b = steps_file_blocks(f, &n);
    assert_int_equal(n, 9);
    assert_string_equal(b[8].node, "n2");
    for (int i = 0; i < n; i++) {
        if (steps_file_rows(f, i, rows, &e) < 0)
            fail_msg("%s", e.text);
        for (int k = 0; k < b[i].rows; k++) {
            const struct steps_row want =
                make_row((b[i].epoch - 1) * 64 + k, b[i].rank, w[b[i].workload].buckets);
            assert_rows(&want, &rows[k]);
        }
    }
    steps_file_close(f);
    free(bytes);
    steps_set_destroy(s);
}

/* Values at the ends of what a cell takes. */
static void test_values(void **state)
{
    const double most = (double)(INT64_C(1) << 53);

    (void)state;
    assert_true(isnan(steps_from_file(steps_to_file(NAN, STEPS_TIME), STEPS_TIME, 1)));
    assert_true(steps_to_file(INFINITY, STEPS_TIME) == steps_to_file(NAN, STEPS_TIME));
    assert_true(steps_to_file(1e300, STEPS_TIME) == (int64_t)most);
    assert_true(steps_to_file(-1e300, STEPS_TIME) == -(INT64_C(1) << 31) + 1);
    assert_true(steps_to_file(1.00000004, STEPS_TIME) == TICKS_A_SECOND);
    assert_true(steps_to_file(7, STEPS_COUNT) == 7);
}

/* ---- refused ---- */

static void assert_refused(const void *bytes, size_t size, const char *sentence)
{
    struct err e = ERR_INIT;
    struct steps_file *f = steps_file_of(bytes, size, "x.steps.gz", &e);

    if (f)
        fail_msg("not refused: %s", sentence);
    assert_string_equal(e.text, sentence);
}

static void test_refused(void **state)
{
    struct steps_set *s = make_set();
    struct err e = ERR_INIT;
    struct steps_row rows[64];
    size_t size;
    int n;

    (void)state;
    char *bytes = bytes_of(s, &size);
    assert_refused(bytes, size - 1, "x.steps.gz: not a steps file: it is cut off");
    assert_refused(bytes, 20, "x.steps.gz: not a steps file: it is cut off");
    assert_refused("hello", 5, "x.steps.gz: not a steps file: it is damaged");
    bytes[size] = 0;
    assert_refused(bytes, size + 1,
                   "x.steps.gz: not a steps file: there is something behind the last block");
    /* A wrong byte is found when its block is read, by the checksum of its member. */
    struct steps_file *f = steps_file_of(bytes, size, "x.steps.gz", &e);
    assert_non_null(f);
    steps_file_blocks(f, &n);
    bytes[size - 12] ^= 1;
    assert_int_equal(steps_file_rows(f, n - 1, rows, &e), -1);
    assert_non_null(strstr(e.text, "x.steps.gz: block 8: it "));
    steps_file_close(f);
    free(bytes);
    steps_set_destroy(s);
}

/* Every cut of a file is refused, or the block that it cuts. */
static void test_cuts(void **state)
{
    struct steps_set *s = make_set();
    size_t size;

    (void)state;
    char *bytes = bytes_of(s, &size);
    for (size_t cut = 0; cut < size; cut += 7) {
        char *part = malloc(cut + 1);
        memcpy(part, bytes, cut);
        struct err e = ERR_INIT;
        struct steps_file *f = steps_file_of(part, cut, "x", &e);
        if (f)
            fail_msg("%zu of %zu bytes were taken for a file", cut, size);
        free(part);
    }
    free(bytes);
    steps_set_destroy(s);
}

/* ---- what is kept ---- */

static void keep(struct steps_keep *k, long steps, long per_epoch)
{
    for (long i = 0; i < steps; i++) {
        const bool near = i % 5000 == 4321;
        const struct steps_row row = make_row(i, 0, k->buckets);
        if (steps_keep_wants(k, i, near))
            assert_int_equal(steps_keep_add(k, (int)(i / per_epoch) + 1, &row, near), 0);
    }
}

/* The steps that are kept, over all epochs. */
static int kept(const struct steps_keep *k, long *step, int room)
{
    struct steps_set *s = steps_set_create();
    const struct steps_workload w = {"x", 1, k->buckets, 1, 1, STEPS_WINDOW, k->stride};
    struct steps_row *rows = calloc(STEPS_MAX_ROWS, sizeof *rows);
    struct steps_block b = {.workload = 0};
    struct err e = ERR_INIT;
    void *packed;
    size_t size;
    int at = 0, rc, n = 0, blocks;

    steps_set_workload(s, &w);
    while ((rc = steps_keep_pack(k, &at, &b, &packed, &e)) > 0) {
        assert_int_equal(steps_set_block(s, &b, packed), 0);
        free(packed);
    }
    assert_int_equal(rc, 0);
    char *bytes = bytes_of(s, &size);
    struct steps_file *f = steps_file_of(bytes, size, "x", &e);
    if (!f)
        fail_msg("%s", e.text);
    const struct steps_block *all = steps_file_blocks(f, &blocks);
    for (int i = 0; i < blocks; i++) {
        assert_int_equal(steps_file_rows(f, i, rows, &e), 0);
        for (int r = 0; r < all[i].rows && n < room; r++)
            step[n++] = (long)rows[r].step;
    }
    steps_file_close(f);
    steps_set_destroy(s);
    free(bytes);
    free(rows);
    return n;
}

static void test_keep_all(void **state)
{
    struct steps_keep k;
    static long step[STEPS_MAX_ROWS];

    (void)state;
    steps_keep_init(&k, 1);
    keep(&k, STEPS_KEPT, 100);
    assert_int_equal(kept(&k, step, STEPS_MAX_ROWS), STEPS_KEPT);
    for (int i = 0; i < STEPS_KEPT; i++)
        assert_int_equal(step[i], i);
    assert_int_equal(k.stride, 1);
    steps_keep_fini(&k);
}

/* Of 100,000 steps: windows at one stride, the first among them, and what is near
 * stalls; never more than there is room for. */
static void test_keep_windows(void **state)
{
    struct steps_keep k;
    static long step[STEPS_MAX_ROWS];
    int stalls = 0, windows = 0;

    (void)state;
    steps_keep_init(&k, 1);
    keep(&k, 100000, 1000);
    const int n = kept(&k, step, STEPS_MAX_ROWS);
    for (int i = 0; i < n; i++) {
        const bool window = step[i] / STEPS_WINDOW % k.stride == 0;
        windows += window;
        stalls += step[i] % 5000 == 4321;
        assert_true(window || step[i] % 5000 == 4321);
        assert_true(i == 0 || step[i] > step[i - 1]);
    }
    assert_int_equal(step[0], 0);
    assert_int_equal(step[127], 127);
    assert_int_equal(stalls, 20);
    assert_true(windows > STEPS_KEPT / 2 - STEPS_WINDOW && windows <= STEPS_KEPT);
    assert_true(k.room <= 2 * (STEPS_KEPT + STEPS_STALLS));
    steps_keep_fini(&k);
}

/* Every step a stall: they have a bound of their own. */
static void test_keep_stalls(void **state)
{
    struct steps_keep k;

    (void)state;
    steps_keep_init(&k, 1);
    for (long i = 0; i < 50000; i++) {
        const struct steps_row row = make_row(i, 0, 1);
        if (steps_keep_wants(&k, i, true))
            assert_int_equal(steps_keep_add(&k, 1, &row, true), 0);
    }
    assert_true(k.n <= STEPS_KEPT + STEPS_STALLS);
    assert_int_equal(k.stalls, STEPS_STALLS);
    while (steps_keep_thin(&k))
        assert_true(k.n <= STEPS_KEPT + STEPS_STALLS);
    assert_true(k.n >= STEPS_WINDOW);
    steps_keep_fini(&k);
}

static void test_near_stalls(void **state)
{
    static const bool want[12] = {false, false, true,  true, true, true,
                                  true,  false, false, true, true, true};
    double length[12] = {1, 1, 1, 1, 1.6, 1, 1, 1, 1.4, 1, 1, 9};
    bool near[12];

    (void)state;
    assert_int_equal(steps_near_stalls(length, 12, near), 0);
    for (int i = 0; i < 12; i++)
        if (near[i] != want[i])
            fail_msg("step %d is%s kept", i, near[i] ? "" : " not");
    assert_int_equal(steps_near_stalls(length, 0, near), 0);
}

/* ---- at scale ---- */

enum { MANY = 10000 };

/* 10,000 ranks, each keeping 20,000 steps in turn: 64 of them make a file, the slowest
 * and the fastest among them, within its bytes; it is read block by block. */
static void test_many_ranks(void **state)
{
    static double own[MANY];
    int chosen[STEPS_RANKS_KEPT], n, blocks;
    struct steps_set *s = steps_set_create();
    struct steps_keep k;
    struct steps_row *rows = calloc(STEPS_MAX_ROWS, sizeof *rows);
    struct err e = ERR_INIT;
    size_t size;

    (void)state;
    for (int i = 0; i < MANY; i++)
        own[i] = 0.02 + 1e-6 * (i * 7919 % MANY);
    own[17] = 1;       /* the slowest */
    own[4711] = 0.001; /* the fastest */
    n = steps_choose_ranks(own, MANY, chosen);
    assert_int_equal(n, STEPS_RANKS_KEPT);
    bool slow = false, fast = false;
    for (int i = 0; i < n; i++) {
        slow |= chosen[i] == 17;
        fast |= chosen[i] == 4711;
        assert_true(i == 0 || chosen[i] > chosen[i - 1]);
    }
    assert_true(slow && fast);
    steps_keep_init(&k, 1);
    keep(&k, 20000, 2000);
    const struct steps_workload w = {"cosmoflow", MANY, 1, 10, 2000, STEPS_WINDOW, k.stride};
    assert_int_equal(steps_set_workload(s, &w), 0);
    for (int i = 0; i < n; i++) {
        struct steps_block b = {.workload = 0, .rank = chosen[i]};
        void *packed;
        int at = 0;
        snprintf(b.node, sizeof b.node, "n%05d", chosen[i] / 8);
        while (steps_keep_pack(&k, &at, &b, &packed, &e) > 0) {
            assert_int_equal(steps_set_block(s, &b, packed), 0);
            free(packed);
        }
    }
    char *bytes = bytes_of(s, &size);
    assert_true(size < STEPS_MAX_BYTES);
    struct steps_file *f = steps_file_of(bytes, size, "x", &e);
    if (!f)
        fail_msg("%s", e.text);
    const struct steps_block *all = steps_file_blocks(f, &blocks);
    assert_int_equal(blocks, steps_set_blocks(s));
    for (int i = 0; i < blocks; i++) {
        assert_true(all[i].rows <= STEPS_KEPT + STEPS_STALLS);
        assert_int_equal(steps_file_rows(f, i, rows, &e), 0);
    }
    steps_file_close(f);
    steps_keep_fini(&k);
    steps_set_destroy(s);
    free(bytes);
    free(rows);
}

/* A set takes no more than a file may have. */
static void test_budget(void **state)
{
    struct steps_set *s = steps_set_create();
    struct steps_block b = {.workload = 0, .rows = 1, .bytes = 5 << 20};
    const struct steps_workload w = {"x", 1, 1, 1, 1, STEPS_WINDOW, 1};
    char *noise = malloc(b.bytes);

    (void)state;
    memset(noise, 1, b.bytes);
    assert_int_equal(steps_set_workload(s, &w), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(steps_set_block(s, &b, noise), 0);
    assert_int_equal(steps_set_block(s, &b, noise), -1);
    assert_int_equal(steps_set_blocks(s), 3);
    free(noise);
    steps_set_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),  cmocka_unit_test(test_values),
        cmocka_unit_test(test_refused),     cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_keep_all),    cmocka_unit_test(test_keep_windows),
        cmocka_unit_test(test_keep_stalls), cmocka_unit_test(test_near_stalls),
        cmocka_unit_test(test_many_ranks),  cmocka_unit_test(test_budget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The storage benchmarks on real files of a folder beside this test: what is cold, what
 * is warm, what is found wrong when a bit of a file flips, and that nothing is left. No
 * rate is asserted.
 */
#include <config.h>

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <cmocka.h>

#include "reports/core/clock.h"
#include "workloads/engine/engine.h"
#include "workloads/micro/files.h"
#include "workloads/micro/harness.h"
#include "workloads/micro/samples.h"

enum { MOST = 32, TMPFS = 0x01021994 };

static char here[PATH_MAX - 128];

static bool in_memory(const char *folder)
{
    struct statfs st;

    return statfs(folder, &st) == 0 && st.f_type == TMPFS;
}

static int entries(const char *folder)
{
    DIR *d = opendir(folder);
    int n = 0;

    assert_non_null(d);
    for (struct dirent *row; (row = readdir(d));)
        n += row->d_name[0] != '.';
    closedir(d);
    return n;
}

/* Two ranks in a folder that the first had to make. */
static struct files second;

static int second_closes(struct comm *c, struct err *e)
{
    (void)c, (void)e;
    files_close(&second, comm_self());
    return 0;
}

/* The first closes before the second has: the folder goes with the last. */
static void check_two_ranks(void)
{
    struct files first;
    struct comm two = *comm_self();
    struct err e = ERR_INIT;
    char made[PATH_MAX];

    two.size = 2;
    two.barrier = second_closes;
    snprintf(made, sizeof made, "%s/a", here);
    assert_int_equal(files_open(&first, made, 1000, 2, &e), 0);
    assert_int_equal(files_open(&second, made, 1000, 2, &e), 0);
    files_close(&first, &two);
    assert_int_equal(access(made, F_OK), -1);
    assert_int_equal(access(here, F_OK), 0);
}

static void test_folder(void **state)
{
    struct files f, g;
    struct err e = ERR_INIT;
    char below[PATH_MAX];

    (void)state;
    snprintf(below, sizeof below, "%s/a/b", here);
    assert_int_equal(files_open(&f, below, 1000, 1, &e), 0); /* made, with what is above it */
    assert_int_equal(files_open(&g, below, 1000, 1, &e), 0);
    assert_string_not_equal(f.folder, g.folder);
    assert_int_equal(entries(below), 2);
    files_close(&g, comm_self());
    files_close(&g, comm_self());
    assert_int_equal(entries(below), 1);
    files_close(&f, comm_self());
    snprintf(below, sizeof below, "%s/a", here);
    assert_int_equal(access(below, F_OK), -1);

    assert_int_equal(files_open(&f, "", 1000, 1, &e), -1);
    assert_string_equal(e.text, "there is no folder for the benchmark's files: give data=FOLDER");
    assert_int_equal(files_open(&f, below, UINT64_C(1) << 50, 4096, &e), -1);
    assert_non_null(strstr(e.text, "give data=FOLDER with more space, or a smaller class"));
    files_close(&f, comm_self());
    assert_int_equal(access(below, F_OK), -1);
    assert_int_equal(files_open(&f, "/proc/1", 1000, 1, &e), -1);
    check_two_ranks();
}

static void test_bytes(void **state)
{
    const uint64_t mib = 1 << 20;

    (void)state;
    assert_int_equal(files_bytes(CLASS_TINY, 1, 0, mib), 32 * mib);
    assert_int_equal(files_bytes(CLASS_SMALL, 1, 0, mib), 128 * mib);
    assert_int_equal(files_bytes(CLASS_STANDARD, 4, 0, mib), 256 * mib);
    assert_int_equal(files_bytes(CLASS_STANDARD, 1, 80 * mib, mib), 10 * mib); /* its memory */
    assert_int_equal(files_bytes(CLASS_TINY, 1000, 0, mib), 4 * mib);
}

static void put(const char *path, size_t bytes)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    for (size_t i = 0; i < bytes; i++)
        fputc((int)(i * 7 & 255), f);
    fclose(f);
}

/* A file that was just written is in memory; dropped it is not. */
static void test_drop(void **state)
{
    struct files f;
    struct files_pages p = {0};
    struct err e = ERR_INIT;
    char path[PATH_MAX];

    (void)state;
    assert_int_equal(files_open(&f, here, 1 << 20, 1, &e), 0);
    put(files_path(&f, "x", path), 1 << 20);
    files_count(path, &p);
    assert_int_equal(p.all, (1 << 20) / sysconf(_SC_PAGESIZE));
    assert_true(files_part(&p) == 1);
    assert_int_equal(files_drop(path, &e), 0);
    p = (struct files_pages){0};
    files_count(path, &p);
    assert_true(files_part(&p) == (in_memory(here) ? 1 : 0));
    files_count("/nowhere/x", &p);
    assert_true(isnan(files_part(&p)));
    assert_int_equal(files_drop("/nowhere/x", &e), -1);
    files_close(&f, comm_self());
}

static void test_words(void **state)
{
    static const struct {
        bool cold;
        double resident;
        const char *word;
    } rows[] = {{true, 0, "cold"},      {true, 0.009, "cold"},   {true, 0.02, "unknown"},
                {true, 1, "unknown"},   {true, NAN, "unknown"},  {false, 1, "warm"},
                {false, 0.995, "warm"}, {false, 0.9, "unknown"}, {false, NAN, "unknown"}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct micro_row r = {.cache = ""};
        harness_cache(&r, rows[i].cold, rows[i].resident);
        assert_string_equal(r.cache, rows[i].word);
        assert_true(isnan(rows[i].resident) == (r.resident.reason != NULL));
    }
}

/* One bit of the last number of the file's first sample. */
static void flip(const struct samples *s, bool one)
{
    char path[PATH_MAX], bit = 0;
    off_t at = (one ? s->one : s->many) + SAMPLE_BYTES - 2;
    int fd = open(files_path(s->files, one ? "one/train/00000.h5" : "many/train/00000.h5", path),
                  O_RDWR);

    assert_true(fd >= 0 && pread(fd, &bit, 1, at) == 1);
    bit ^= 1;
    assert_true(pwrite(fd, &bit, 1, at) == 1);
    close(fd);
}

static void test_samples(void **state)
{
    struct files f;
    struct samples s;
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(files_open(&f, here, 1 << 20, 1, &e), 0);
    if (samples_make(&s, &f, SAMPLES_FILE + 3, 5, &e) < 0) /* two files of many */
        fail_msg("%s", e.text);
    for (int flipped = 0; flipped < 2; flipped++) {
        for (int way = 0; way < SAMPLES_WAYS; way++) {
            long wrong = 0;
            if (samples_open(&s, (enum samples_way)way, &e) < 0 ||
                samples_check(&s, &wrong, &e) < 0)
                fail_msg("%s: %s", samples_name((enum samples_way)way), e.text);
            assert_int_equal(wrong, flipped);
            if (samples_pass(&s, &wrong, &e) < 0)
                fail_msg("%s: %s", samples_name((enum samples_way)way), e.text);
            samples_shut(&s);
        }
        flip(&s, true);
        flip(&s, false);
    }
    assert_true(samples_resident(&s, true) == 1 && samples_resident(&s, false) == 1);
    assert_int_equal(samples_drop(&s, false, &e), 0);
    assert_true(samples_resident(&s, true) == 1);
    assert_true(samples_resident(&s, false) == (in_memory(here) ? 1 : 0));
    samples_close(&s);
    files_close(&f, comm_self());
    assert_int_equal(samples_make(&s, &(struct files){.folder = "/nowhere"}, 4, 5, &e), -1);
}

/* ---- the benchmarks ---- */

struct seen {
    struct micro_row rows[MOST]; /* without their samples */
    int n;
};

static int take(void *ctx, struct micro_row *row, struct err *e)
{
    struct seen *s = ctx;

    (void)e;
    assert_true(s->n < MOST);
    micro_row_fini(row);
    s->rows[s->n++] = *row;
    return 0;
}

/* All rows of a benchmark on files of a few MiB. */
static void measure(const struct micro_bench *b, const char *folder, enum runspec_class class,
                    struct seen *s)
{
    struct micro_host h = {.comm = comm_self(),
                           .now = clock_now,
                           .deadline = INFINITY,
                           .threads = 1,
                           .memory_bytes = 1 << 20,
                           .backend = engine_backend_name(0),
                           .folder = folder,
                           .class = class,
                           .seed = 3,
                           .floor_seconds = 0.0005,
                           .samples = 2,
                           .n_nodes = 1,
                           .ctx = s,
                           .row = take};
    struct micro_plan plan;
    struct err e = ERR_INIT;
    int done = 0, files = entries(folder);

    s->n = 0;
    b->plan(&h, &plan);
    if (b->run(&h, &done, &e) < 0)
        fail_msg("%s", e.text);
    assert_int_equal(done, plan.rows);
    assert_int_equal(s->n, plan.rows);
    assert_true(plan.expected_seconds > 0 && plan.title[0]);
    assert_int_equal(entries(folder), files); /* nothing is left */
}

static void test_read(void **state)
{
    static struct seen s;
    int cold = 0, warm = 0;

    (void)state;
    measure(&micro_read, here, CLASS_SMALL, &s);
    assert_int_equal(s.n, 2 * SAMPLES_WAYS);
    for (int i = 0; i < s.n; i++) {
        const struct micro_row *r = &s.rows[i];
        bool asked = strncmp(r->shape, "cold", 4) == 0;
        if (asked && in_memory(here)) {
            assert_int_equal(r->status, MICRO_SKIPPED);
            continue;
        }
        assert_int_equal(r->status, MICRO_OK);
        assert_true(r->checked && r->median.value > 0 && r->bytes == 4 * SAMPLE_BYTES);
        assert_string_equal(r->cache, asked ? "cold" : "warm");
        cold += asked;
        warm += !asked;
    }
    assert_int_equal(warm, SAMPLES_WAYS);
    assert_int_equal(cold, in_memory(here) ? 0 : SAMPLES_WAYS);
}

/* What lives in memory has no cold rows, and says so. */
static void test_in_memory(void **state)
{
    static struct seen s;
    char folder[] = "/dev/shm/test_storage.XXXXXX";
    int skipped = 0;

    (void)state;
    if (!in_memory("/dev/shm") || !mkdtemp(folder))
        skip();
    measure(&micro_read, folder, CLASS_TINY, &s);
    for (int i = 0; i < s.n; i++) {
        if (s.rows[i].status == MICRO_SKIPPED)
            assert_string_equal(s.rows[i].reason, FILES_STAY);
        else
            assert_string_equal(s.rows[i].cache, "warm");
        skipped += s.rows[i].status == MICRO_SKIPPED;
    }
    assert_int_equal(skipped, SAMPLES_WAYS);
    rmdir(folder);
}

static void test_write(void **state)
{
    static struct seen s;

    (void)state;
    measure(&micro_write, here, CLASS_TINY, &s);
    for (int i = 0; i < s.n; i++) {
        const struct micro_row *r = &s.rows[i];
        bool reads = strcmp(r->what, "restore") == 0;
        if (in_memory(here) && strcmp(r->shape, "cold") == 0)
            continue;
        if (r->status != MICRO_OK)
            fail_msg("%s %s: %s", r->what, r->shape, r->reason);
        assert_true(r->checked && r->median.value > 0);
        assert_string_equal(r->cache, reads ? r->shape : "");
    }
}

static void test_meta(void **state)
{
    static struct seen s;

    (void)state;
    measure(&micro_meta, here, CLASS_TINY, &s);
    for (int i = 0; i < s.n; i++) {
        const struct micro_row *r = &s.rows[i];
        bool looks = strcmp(r->what, "stat") == 0 || strcmp(r->what, "open") == 0;
        assert_int_equal(r->status, MICRO_OK);
        assert_true(r->median.value > 0);
        assert_string_equal(r->cache, looks ? "unknown" : "");
    }
}

/* ---- order swap ---- */

struct two {
    const struct micro_host *h;
    bool disturbed; /* whoever comes second is half as fast; both are called alike */
    int turn;
};

static double rate_of(void *ctx)
{
    const struct two *t = ctx;

    return t->disturbed && t->turn % 2 ? 50 : 100;
}

static int nothing(void *ctx, long times, long *wrong, struct err *e)
{
    (void)ctx, (void)wrong, (void)e;
    usleep((unsigned)(times < 1000 ? times : 1000));
    return 0;
}

static int one_of_two(void *ctx, int index, int position, struct err *e)
{
    struct two *t = ctx;
    struct harness_row row = {.ctx = t,
                              .run = nothing,
                              .value = rate_of,
                              .head = {.threads = 1, .index = index, .more_is_better = true}};

    snprintf(row.head.what, sizeof row.head.what, "%s", t->disturbed || !index ? "fma" : "chain");
    snprintf(row.head.dtype, sizeof row.head.dtype, "%s", index ? "bf16" : "f32");
    int rc = harness_measure(t->h, &row, position, e);
    t->turn++;
    return rc;
}

static void test_order_swap(void **state)
{
    (void)state;
    for (int disturbed = 0; disturbed < 2; disturbed++) {
        static struct seen s;
        struct micro_swap swap = {.again = false};
        struct micro_host h = {.comm = comm_self(),
                               .now = clock_now,
                               .deadline = INFINITY,
                               .floor_seconds = 0.0001,
                               .samples = 3,
                               .n_nodes = 1,
                               .seed = 1,
                               .swap = &swap,
                               .ctx = &s,
                               .row = take};
        struct two t = {&h, disturbed, 0};
        struct err e = ERR_INIT;
        int done = 0;

        s.n = 0;
        assert_int_equal(harness_rows(&h, "test", 2, one_of_two, &t, &done, &e), 0);
        assert_int_equal(done, 2);
        assert_int_equal(t.turn, 4);
        assert_int_equal(s.n, 3); /* the two that were measured again are not handed over */
        assert_string_equal(s.rows[2].what, "order swap");
        assert_int_equal(s.rows[2].status, disturbed ? MICRO_UNSTEADY : MICRO_OK);
        assert_true(fabs(fabs(log2(s.rows[2].median.value)) - disturbed) < 1e-9);
        assert_non_null(strstr(s.rows[2].reason, "detectable are 1.0 and 1.0 %"));
        assert_non_null(strstr(s.rows[2].reason, disturbed ? " fma f32 " : " fma "));
        assert_non_null(strstr(s.rows[2].reason, disturbed ? " fma bf16 " : " chain "));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folder),    cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_drop),      cmocka_unit_test(test_words),
        cmocka_unit_test(test_samples),   cmocka_unit_test(test_read),
        cmocka_unit_test(test_in_memory), cmocka_unit_test(test_write),
        cmocka_unit_test(test_meta),      cmocka_unit_test(test_order_swap),
    };
    char folder[] = "test_storage.XXXXXX";

    if (!mkdtemp(folder) || !realpath(folder, here))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(here);
    return failed;
}

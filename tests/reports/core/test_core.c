/* SPDX-License-Identifier: BSD-3-Clause */
/* clock, nearest, sha256, utf8, result: tables of cases. */
#include <config.h>

#include <stdlib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "reports/core/clock.h"
#include "reports/core/nearest.h"
#include "reports/core/result.h"
#include "reports/core/runspec.h"
#include "reports/core/sha256.h"
#include "reports/core/utf8.h"
#include "tests/unit.h"

/* Each clock against the kernel's own, asked before and after. */
static void test_clock(void **state)
{
    struct timespec before, after;
    double seconds, cpu;
    int64_t ms, real;

    (void)state;
    clock_gettime(CLOCK_MONOTONIC, &before);
    seconds = clock_now();
    ms = clock_now_ms();
    clock_gettime(CLOCK_MONOTONIC, &after);
    assert_true(seconds >= (double)before.tv_sec && seconds < (double)after.tv_sec + 1);
    assert_true(ms >= before.tv_sec * 1000LL + before.tv_nsec / 1000000);
    assert_true(ms <= after.tv_sec * 1000LL + after.tv_nsec / 1000000);

    clock_gettime(CLOCK_REALTIME, &before);
    real = clock_real();
    clock_gettime(CLOCK_REALTIME, &after);
    assert_true(real >= before.tv_sec * 1000000000LL + before.tv_nsec);
    assert_true(real <= after.tv_sec * 1000000000LL + after.tv_nsec);

    for (cpu = clock_cpu(); clock_cpu() < cpu + 1e-3;) /* it goes on while we compute */
        ;
    assert_true(clock_cpu() - cpu >= 1e-3);
}

static void test_nearest(void **state)
{
    static const char *const words[] = {"class", "dtype", "data", "epochs", "cosmoflow", "f32"};
    static const struct {
        const char *word, *good;
    } table[] = {
        {"class", "class"},
        {"clas", "class"},
        {"calss", "class"},
        {"CLASS", "class"},
        {"epoch", "epochs"},
        {"detype", "dtype"},
        {"dta", "data"},
        {"cosmo", "cosmoflow"},
        {"comsoflow", "cosmoflow"},
        {"cosmfloww", "cosmoflow"},
        {"f3", "f32"},
        {"zebra", NULL},
        {"", NULL},
        {"q", NULL},
        {"cl", NULL},
        {"fp64", NULL},
    };
    char long_word[200];
    (void)state;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const char *got = nearest(table[i].word, words, 6);
        if (!table[i].good)
            assert_null(got);
        else
            assert_string_equal(got, table[i].good);
    }
    memset(long_word, 'a', sizeof long_word - 1);
    long_word[sizeof long_word - 1] = '\0';
    assert_null(nearest(long_word, words, 6));
    assert_null(nearest("class", words, 0));
}

/* FIPS 180-4 examples, and lengths around the block's edge. */
static void test_sha256(void **state)
{
    static const struct {
        const char *text, *hex;
    } table[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnop"
         "jklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    };
    char hex[SHA256_HEX_SIZE];
    struct sha256 s;
    (void)state;

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        sha256_init(&s);
        sha256_add(&s, table[i].text, strlen(table[i].text));
        sha256_hex(&s, hex);
        assert_string_equal(hex, table[i].hex);
    }
}

static void test_sha256_million(void **state)
{
    char piece[997], hex[SHA256_HEX_SIZE];
    struct sha256 s;
    size_t left = 1000000;
    (void)state;

    memset(piece, 'a', sizeof piece);
    sha256_init(&s);
    for (size_t step = 1; left; step = step % sizeof piece + 1) {
        size_t n = step < left ? step : left;
        sha256_add(&s, piece, n);
        left -= n;
    }
    sha256_hex(&s, hex);
    assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* A character as UTF-8, NUL-terminated. */
static void encode(uint32_t c, char text[5])
{
    const int n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    memset(text, 0, 5);
    for (int i = n - 1; i > 0; i--, c >>= 6)
        text[i] = (char)(0x80 | (c & 0x3f));
    text[0] = (char)(n == 1 ? c : (0xf00u >> n & 0xff) | c); /* n ones, a zero, the rest */
}

/* What hides or steers: no run text holds it, no sentence and no screen shows it. */
static void test_steering_characters(void **state)
{
    static const struct {
        uint32_t first, last;
    } bad[] = {
        {0x01, 0x1f},     {0x7f, 0x9f},       {0xad, 0xad},       {0x34f, 0x34f},
        {0x61c, 0x61c},   {0x115f, 0x1160},   {0x17b4, 0x17b5},   {0x180b, 0x180f},
        {0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f},   {0x3164, 0x3164},
        {0xfdd0, 0xfdef}, {0xfeff, 0xfeff},   {0xffa0, 0xffa0},   {0xfff0, 0xfffb},
        {0xfffe, 0xffff}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
    };
    char text[5], run[64], shown[8];
    struct runspec r;
    struct err e;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (uint32_t c = bad[i].first; c <= bad[i].last; c++) {
            encode(c, text);
            snprintf(run, sizeof run, "cosmoflow,out=/a%sb", text);
            assert_int_equal(runspec_parse(&r, run, &e), -1);
            assert_string_equal(e.text, "byte 17 of the run text is an unprintable character");
            snprintf(shown, sizeof shown, "a%sb", text);
            utf8_clean(shown);
            assert_string_equal(shown, "a?b");
            err_set(&e, "'a%sb' is wrong", text);
            assert_string_equal(e.text, "'a?b' is wrong");
        }
}

/* Every other character passes both. */
static void test_other_characters(void **state)
{
    static const uint32_t good[] = {
        0x20,   0x7e,   0xa0,   0xac,   0xae,   0xe9,   0x3b1,  0x61b,  0x61d,   0x200a,  0x2010,
        0x2027, 0x202f, 0x205f, 0x2070, 0x6f22, 0xfdcf, 0xfdf0, 0xfffd, 0x1f600, 0x20000, 0xdffff};
    char text[5], run[64], shown[8];
    struct runspec r;
    struct err e = ERR_INIT;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        encode(good[i], text);
        snprintf(run, sizeof run, "cosmoflow,out=/a%sb", text);
        assert_int_equal(runspec_parse(&r, run, &e), 0);
        snprintf(run, sizeof run, "/a%sb", text);
        assert_string_equal(r.out, run);
        snprintf(shown, sizeof shown, "%s", text);
        utf8_clean(shown);
        assert_string_equal(shown, text);
    }
}

static void test_phase_names(void **state)
{
    (void)state;
    for (int p = 0; p < PHASE_COUNT; p++)
        assert_non_null(phase_name(p));
    assert_string_equal(phase_name(PHASE_EXPOSED_ALLREDUCE), "exposed_allreduce");
    assert_null(phase_name(PHASE_COUNT));
}

static void test_epochs(void **state)
{
    struct workload_result r = {0};
    (void)state;

    for (int i = 1; i <= 5; i++)
        assert_int_equal(result_add_epoch(&r, &(struct result_epoch){.epoch = i}), 0);
    assert_int_equal(r.n_epochs, 5);
    assert_int_equal(r.epochs[4].epoch, 5);
    result_fini(&r);
    assert_null(r.epochs);
    assert_int_equal(r.n_epochs, 0);
}

static void test_others(void **state)
{
    struct workload_result r = {0};
    struct result_quality q = {.value = measured(0.5), .target = NAN, .higher_is_better = true};
    (void)state;

    for (int i = 0; i < RESULT_MAX_OTHERS; i++) {
        snprintf(q.name, sizeof q.name, "q%d", i);
        assert_int_equal(result_add_other(&r, &q), 0);
    }
    assert_int_equal(result_add_other(&r, &q), -1);
    assert_int_equal(r.n_others, RESULT_MAX_OTHERS);
    assert_string_equal(r.others[0].name, "q0");
    assert_string_equal(r.others[RESULT_MAX_OTHERS - 1].name, "q7");
}

static void test_metrics(void **state)
{
    const struct result_metric *m;
    (void)state;

    for (int i = 0; (m = metric_of(i)); i++) {
        assert_int_equal(metric_find(m->name), i);
        assert_true(m->most > 0 && *m->unit && *m->title);
        /* errors grow without end, parts are of 1 */
        assert_int_equal(isinf(m->most), strcmp(m->unit, "norm") == 0);
    }
    assert_null(metric_of(-1));
    assert_int_equal(metric_find("aucs"), -1);
    assert_true(metric_of(metric_find("auc"))->higher_is_better);
    assert_true(metric_of(metric_find("iou_scratch"))->higher_is_better);
    assert_false(metric_of(metric_find("false_rejects"))->higher_is_better);
    assert_false(metric_of(metric_find("mae"))->higher_is_better);
}

static void test_vflops(void **state)
{
    (void)state;
    assert_float_equal(result_vflops(2e9, 0.5, 1, true, 5), 2e9 / 32, 1e-3);
    assert_float_equal(result_vflops(2e9, 0.5, 1, false, 5), 2e9 * 32, 1e-3);
    assert_float_equal(result_vflops(3e9, 0.2, 0.2, false, 10), 3e9, 1e-3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_sha256),
        cmocka_unit_test(test_sha256_million),
        cmocka_unit_test(test_steering_characters),
        cmocka_unit_test(test_other_characters),
        cmocka_unit_test(test_phase_names),
        cmocka_unit_test(test_epochs),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_metrics),
        cmocka_unit_test(test_vflops),
    };
    return cmocka_run_group_tests_name("core", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* The manifest: read back as written, and nothing else is taken for one. */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/core/sha256.h"
#include "workloads/data/manifest.h"

#define HASH "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEAD                                                                                       \
    "hpcai500-data 1\nworkload cosmoflow\nclass tiny\nlayout cut\ngenerator 2\nbuild b\nseed 1\n"  \
    "edge 32\ncell_mpc 4\nparameters p\nredshifts 3 1.5 0.5 0\n"
#define COUNTS "train 2\nvalidation 1\nconstant_mae 0.5\nridge_mae 0.25\n"
#define FILES                                                                                      \
    "file " HASH " 1 train/a.hdf5\nfile " HASH " 2 train/b.hdf5\n"                                 \
    "file " HASH " 3 validation/a.hdf5\n"

static int parse(struct manifest *m, const char *text, struct err *e)
{
    return manifest_parse(m, text, strlen(text), "M", e);
}

static void text_is_read_and_written(void **state)
{
    const char *text = HEAD COUNTS FILES "end 3\n";
    char again[2000] = "";
    struct manifest m;
    struct err e = ERR_INIT;

    (void)state;
    assert_int_equal(parse(&m, text, &e), 0);
    assert_string_equal(m.class_name, "tiny");
    assert_int_equal(m.layout, DATA_CUT);
    assert_int_equal(m.edge, 32);
    assert_int_equal(m.n_files, 3);
    assert_int_equal(m.files[2].bytes, 3);
    assert_string_equal(m.files[2].path, "validation/a.hdf5");
    assert_true(m.ridge_mae == 0.25);
    FILE *f = fmemopen(again, sizeof again, "w");
    assert_int_equal(manifest_write(&m, f), 0);
    fclose(f);
    assert_string_equal(again, text);
    manifest_fini(&m);
    /* any shorter text is refused, and leaves nothing behind */
    for (size_t n = 0; n < strlen(text); n++) {
        assert_int_equal(manifest_parse(&m, text, n, "M", &e), -1);
        assert_null(m.files);
    }
}

static void bad_texts_are_refused(void **state)
{
    static const struct {
        const char *text, *sentence;
    } rows[] = {
        {"", "M, line 1: ends before its last line"},
        {"tea 1\n", "M, line 1: not a manifest of hpcai500"},
        {"hpcai500-data 2\n", "M, line 1: format 2 is not known, expected 1"},
        {"hpcai500-data\n", "M, line 1: 'hpcai500-data' has no value"},
        {"hpcai500-data 1\nclass tiny\n", "M, line 2: 'class' where 'workload' was expected"},
        {"hpcai500-data 1\nworkload a\tb\n", "M, line 2: byte 11 is not printable"},
        {"hpcai500-data 1\nworkload 12345678901234567890123456789012\n",
         "M, line 2: '12345678901234567890123456789012' is not a value of 'workload'"},
        {"hpcai500-data 1\nworkload c\nclass tiny\nlayout round\n",
         "M, line 4: 'round' is not a value of 'layout'"},
        {"hpcai500-data 1\nworkload c\nclass tiny\nlayout cut\ngenerator -1\n",
         "M, line 5: '-1' is not a value of 'generator'"},
        {HEAD "train 99999999999999999999\n",
         "M, line 12: '99999999999999999999' is not a value of 'train'"},
        {HEAD "train 2\nvalidation 1\nconstant_mae nan\n",
         "M, line 14: 'nan' is not a value of 'constant_mae'"},
        {HEAD "train 2\nvalidation 1\nconstant_mae 1e999\n",
         "M, line 14: '1e999' is not a value of 'constant_mae'"},
        {HEAD COUNTS "fille x\n", "M, line 16: 'fille' where 'file' or 'end' was expected"},
        {HEAD COUNTS "file " HASH " 1 train/../x\n", NULL},
        {HEAD COUNTS "file " HASH " 1 /etc/passwd\n", NULL},
        {HEAD COUNTS "file " HASH " 1 train/.x\n", NULL},
        {HEAD COUNTS "file " HASH " 1 train/a/b\n", NULL},
        {HEAD COUNTS "file " HASH " 1 train/\n", NULL},
        {HEAD COUNTS "file " HASH " 1 train/a b\n", NULL},
        {HEAD COUNTS "file " HASH "a 1 train/a\n", NULL},
        {HEAD COUNTS "file " HASH " -1 train/a\n", NULL},
        {HEAD COUNTS "file " HASH " 1 train/b\nfile " HASH " 1 train/a\n", NULL},
        {HEAD COUNTS "file " HASH " 1 train/a\nfile " HASH " 1 train/a\n", NULL},
        {HEAD COUNTS FILES "end 4\n", "M, line 19: 3 files listed, 4 promised"},
        {HEAD "train 1\nvalidation 2\nconstant_mae 0\nridge_mae 0\n" FILES "end 3\n",
         "M, line 19: the files are not the 1 + 2 promised"},
        {HEAD "train 18446744073709551615\nvalidation 4\nconstant_mae 0\nridge_mae 0\n" FILES
              "end 3\n",
         "M, line 19: 3 files listed, 3 promised"},
        {HEAD COUNTS FILES "end 3\n\n", "M, line 19: text after the end"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct manifest m;
        struct err e = ERR_INIT;
        if (parse(&m, rows[i].text, &e) != -1)
            fail_msg("row %zu was accepted", i);
        if (rows[i].sentence)
            assert_string_equal(e.text, rows[i].sentence);
        else
            assert_non_null(strstr(e.text, "bad or misplaced file"));
        assert_null(m.files);
    }
}

static void put(const char *folder, const char *name, const char *text)
{
    char path[400];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* Sizes are always compared; of the hashes as many as asked for. */
static void folders_are_compared(void **state)
{
    enum { COUNT = 10 };
    char folder[] = "manifest-XXXXXX", name[64], want[200], sha256[65];
    struct manifest m = {.n_files = COUNT, .train = COUNT};
    struct err e = ERR_INIT;
    int wrong = 0;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(name, sizeof name, "%s/train", folder);
    mkdir(name, 0777);
    assert_int_equal(manifest_read(&m, folder, NULL, &e), 1);
    m = (struct manifest){.n_files = COUNT, .train = COUNT};
    m.files = calloc(COUNT, sizeof *m.files);
    for (int i = 0; i < COUNT; i++) {
        struct sha256 s;
        snprintf(m.files[i].path, sizeof m.files[i].path, "train/f%d", i);
        put(folder, m.files[i].path, "cube");
        m.files[i].bytes = 4;
        sha256_init(&s);
        sha256_add(&s, "cube", 4);
        sha256_hex(&s, m.files[i].sha256);
    }
    assert_int_equal(manifest_verify(&m, folder, COUNT, &e), 0);
    for (int i = 0; i < COUNT; i++) { /* which of ten do three hashes look at? */
        put(folder, m.files[i].path, "cubf");
        assert_int_equal(manifest_verify(&m, folder, 0, &e), 0);
        assert_int_equal(manifest_verify(&m, folder, COUNT, &e), -1);
        snprintf(want, sizeof want, "%s/train/f%d: its SHA-256 is not the manifest's", folder, i);
        assert_string_equal(e.text, want);
        wrong += manifest_verify(&m, folder, 3, &e) < 0;
        put(folder, m.files[i].path, "cube");
    }
    assert_true(wrong >= 3 && wrong <= 4);
    put(folder, "train/f7", "cu");
    assert_int_equal(manifest_verify(&m, folder, 0, &e), -1);
    snprintf(want, sizeof want, "%s/train/f7: 2 bytes, expected 4", folder);
    assert_string_equal(e.text, want);
    manifest_fini(&m);

    put(folder, MANIFEST_NAME, HEAD COUNTS FILES "end 3\n");
    assert_int_equal(manifest_read(&m, folder, sha256, &e), 0);
    assert_int_equal(strlen(sha256), 64);
    manifest_fini(&m);
    put(folder, MANIFEST_NAME, HEAD);
    assert_int_equal(manifest_read(&m, folder, sha256, &e), -1);
    snprintf(want, sizeof want, "%s/MANIFEST, line 12: ends before its last line", folder);
    assert_string_equal(e.text, want);
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "%s/train/f%d", folder, i);
        unlink(name);
    }
    snprintf(name, sizeof name, "%s/MANIFEST", folder);
    unlink(name);
    snprintf(name, sizeof name, "%s/train", folder);
    rmdir(name);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_read_and_written),
        cmocka_unit_test(bad_texts_are_refused),
        cmocka_unit_test(folders_are_compared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
